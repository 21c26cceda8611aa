// A stream of a group as the application reads it: an iterator over the fragments that the core passes on.
import { tooManyUnread } from "./errors.js";
import type { GroupStream, GroupStreamMessage } from "../models.js";

interface Reader {
  resolve(result: IteratorResult<GroupStreamMessage>): void;
  reject(error: unknown): void;
}

/** How many fragments may wait to be read. */
const MAX_UNREAD = 16_384;

/** A stream that arrives: what came and is not read, or who waits for more. */
export class ReceivedStream implements GroupStream {
  readonly #controller = new AbortController();
  readonly abortSignal = this.#controller.signal;
  readonly #messages: GroupStreamMessage[] = [];
  readonly #readers: Reader[] = [];
  /** How it ended, once it has. */
  #end?: { error: unknown };

  constructor(
    readonly groupName: string,
    readonly streamId: string,
  ) {}

  [Symbol.asyncIterator](): AsyncIterator<GroupStreamMessage> {
    return { next: () => this.#next() };
  }

  /** Whether there is room for it: where there is none the stream is over. */
  push(message: GroupStreamMessage): boolean {
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value: message });
    else if (this.#messages.length < MAX_UNREAD) this.#messages.push(message);
    else {
      this.finish(tooManyUnread(MAX_UNREAD));
      return false;
    }
    return true;
  }

  /** Ends it: well, where `error` is undefined. */
  finish(error?: unknown): void {
    if (this.#end) return;
    this.#end = { error };
    this.#controller.abort();
    for (const reader of this.#readers.splice(0)) this.#settle(reader);
  }

  #next(): Promise<IteratorResult<GroupStreamMessage>> {
    return new Promise((resolve, reject) => {
      const value = this.#messages.shift();
      if (value) resolve({ done: false, value });
      else if (this.#end) this.#settle({ resolve, reject });
      else this.#readers.push({ resolve, reject });
    });
  }

  #settle({ resolve, reject }: Reader): void {
    const { error } = this.#end!;
    if (error === undefined) resolve({ done: true, value: undefined });
    else reject(error);
  }
}
