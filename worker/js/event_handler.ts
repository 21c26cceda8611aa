// Requests to event handlers, and to the directories that know of them: with a time limit, and with bodies
// that are read piece by piece.
import { waitUntil } from "cloudflare:workers";
import type { Bindings } from "./env.ts";

type Directories = Pick<Bindings, "HUB_DIRECTORY">;

/** Why there is no answer, in a word that Rust knows. */
type Failure = "Unsendable" | "Network" | "TimedOut" | "GivenUp";

/** Takes a piece of a body; `false` ends the reading. */
type Take = (piece: Uint8Array, announced: number, status: number) => boolean;

/** In pieces of up to this many bytes a body is read, */
const PIECE = 65_536;
/** and the first in one of so many where no length is announced. */
const FIRST_PIECE = 4096;

/** Has a hub's directory take something, and does not wait for it. */
export function postInPassing({ HUB_DIRECTORY }: Directories, hub: string, path: string, body: string): void {
  waitUntil(
    HUB_DIRECTORY.getByName(hub)
      .ask(path, body)
      .catch(() => {}),
  );
}

/** Passes the body of an answer on, until it ends or `take` wants no more of it. */
async function read({ status, headers, body }: Response, take: Take): Promise<void> {
  const announced = Number(headers.get("content-length"));
  const reader = body?.getReader({ mode: "byob" });
  let size = Math.min(announced || FIRST_PIECE, PIECE);
  while (reader) {
    const { done, value } = await reader.readAtLeast(size, new Uint8Array(size));
    if (done) break;
    const goesOn = take(value, announced, status);
    // Freed at once: V8 keeps such garbage until it has some 64 MiB of it.
    (value.buffer as ArrayBuffer).transfer(0);
    if (!goesOn) {
      reader.cancel().catch(() => {});
      break;
    }
    size = PIECE;
  }
}

/** Calls that are under way, by their numbers. None of its promises rejects. */
export class Calls {
  readonly #controllers = new Map<number, AbortController>();

  /** What aborts a call, which may be about to begin. */
  #controller(id: number): AbortController {
    let controller = this.#controllers.get(id);
    if (!controller) this.#controllers.set(id, (controller = new AbortController()));
    return controller;
  }

  /** Ends a call after `after` milliseconds, unless it has ended before. */
  giveUp(id: number, after: number): void {
    const controller = this.#controller(id);
    setTimeout(() => {
      controller.abort("GivenUp" satisfies Failure);
      this.#controllers.delete(id);
    }, after);
  }

  /**
   * Asks a hub's directory something, for at most `limit` milliseconds. Resolves with its answer; any but 204 ends the
   * call.
   */
  async postToDirectory(
    id: number,
    { HUB_DIRECTORY }: Directories,
    hub: string,
    path: string,
    body: string,
    limit: number,
  ): Promise<string> {
    const controller = this.#controller(id);
    const timer = setTimeout(() => controller.abort("TimedOut" satisfies Failure), limit);
    const { signal } = controller;
    let result: string = "Network" satisfies Failure;
    try {
      const aborted = new Promise<never>((_, reject) => {
        signal.onabort = reject;
      });
      result = await Promise.race([HUB_DIRECTORY.getByName(hub).ask(path, body), aborted]);
    } catch {
      if (signal.aborted) result = signal.reason;
    }
    clearTimeout(timer);
    if (result !== "204") this.#controllers.delete(id);
    return result;
  }

  /**
   * Makes a request, for at most `limit` milliseconds; `headers` are a name or a value a line. Passes the
   * answer's body to `take`, if there is one. Resolves with the status and the headers' names and values, a
   * line each, or with a `Failure`.
   */
  async request(
    id: number,
    method: string,
    url: string,
    headers: string,
    body: Uint8Array | undefined,
    limit: number,
    take: Take | undefined,
  ): Promise<string> {
    const controller = this.#controller(id);
    const { signal } = controller;
    const timer = setTimeout(() => controller.abort("TimedOut" satisfies Failure), limit);
    let failure: Failure = "Unsendable";
    try {
      // The body is a view of the module's memory, which may move.
      const request = new Request(url, { method, body: body?.slice(), redirect: "manual", signal });
      const lines = headers.split("\n");
      for (let i = 0; i < lines.length - 1; i += 2) request.headers.set(lines[i]!, lines[i + 1]!);
      failure = "Network";
      const answer = await fetch(request);
      if (take) await read(answer, take);
      else await answer.body?.cancel();
      return [answer.status, ...[...answer.headers].flat()].join("\n");
    } catch {
      return signal.aborted ? signal.reason : failure;
    } finally {
      clearTimeout(timer);
      this.#controllers.delete(id);
    }
  }
}
