// What every page has of group streams and states: it loads the rest when they are used.
import type { Groups } from "./groups/index.js";
import type { GroupsLink } from "./groups/link.js";
import type { GroupStateRecord, GroupStream, GroupStreamSubscription, OnGroupStreamOptions } from "./models.js";

type Use = (groups: Groups) => void;

/** The streams and states of a client, loaded when they are first used. */
export class LazyGroups {
  readonly #link: GroupsLink;
  #loaded?: Groups;
  #loading?: Promise<Groups>;
  /** What has happened since the loading began. */
  #notes: Use[] = [];
  #isOpen = false;
  #isRecovering = false;
  readonly #joined = new Set<string>();

  constructor(link: GroupsLink) {
    this.#link = link;
  }

  /** Loads them. What has happened meanwhile is passed on first. */
  load(): Promise<Groups> {
    if (this.#loading) return this.#loading;
    if (this.#isOpen) this.#notes.push((groups) => groups.linkOpened());
    if (this.#isRecovering) this.#notes.push((groups) => groups.recovery(false));
    return (this.#loading = import("#groups")
      .then(({ load }) => load(this.#link))
      .then((groups) => {
        for (const note of this.#notes.splice(0)) note(groups);
        return (this.#loaded = groups);
      })
      .catch((error) => {
        this.#loading = undefined;
        this.#notes = [];
        throw error;
      }));
  }

  /** Passes something on, if they are loaded or about to be. */
  note(use: Use): void {
    if (this.#loaded) use(this.#loaded);
    else if (this.#loading) this.#notes.push(use);
  }

  opened(): void {
    this.#isOpen = true;
    this.note((groups) => groups.linkOpened());
  }

  recovery(isOver: boolean): void {
    this.#isRecovering = !isOver;
    this.note((groups) => groups.recovery(isOver));
  }

  lost(): void {
    this.#isOpen = this.#isRecovering = false;
    this.note((groups) => groups.connectionLost());
  }

  joined(group: string, is: boolean): void {
    if (is) this.#joined.add(group);
    else {
      this.#joined.delete(group);
      this.note((groups) => groups.left(group));
    }
  }

  receive(callback: (stream: GroupStream) => unknown, options: OnGroupStreamOptions = {}): GroupStreamSubscription {
    if (typeof callback !== "function") throw new TypeError("The callback must be a function.");
    if (!((options.idleTimeoutInMs ?? 1) > 0)) throw new RangeError("idleTimeoutInMs must be greater than 0.");
    let isActive = true;
    let end: (() => void) | undefined;
    this.load().catch(this.#link.report);
    this.note((groups) => {
      if (isActive) end = groups.receive(callback, options);
    });
    const close = async () => {
      isActive = false;
      end?.();
      end = undefined;
    };
    return {
      close,
      get isActive() {
        return isActive;
      },
      // Where the platform has the symbol.
      ...(Symbol.asyncDispose && { [Symbol.asyncDispose]: close }),
    } as GroupStreamSubscription;
  }

  own(group: string): Record<string, string> | undefined {
    if (!this.#joined.has(group)) throw new Error(`Group '${group}' is not joined.`);
    return this.#loaded?.own(group);
  }

  list(group: string): GroupStateRecord[] {
    const list = this.#loaded?.list(group);
    if (!list) throw new Error(`Group state is not subscribed for group '${group}'.`);
    return list;
  }
}
