// In front of the core's WebAssembly: most data messages are raised without crossing to it.
import type { Client } from "#core";
import * as input from "./inputs.js";
import { asNumber } from "./values.js";

/**
 * The core, which need not be asked about every data message: it says how many that are numbered on from the last may be
 * raised without it. Before anything else is passed to it, it is shown the last of those, which stands for all.
 */
export class Core {
  readonly #client: Client;
  /** The attempt, and the sequence ids from the first that the core has not been shown to the end of what it allows. */
  #attempt = 0;
  #shown = 0;
  #next = 0;
  #end = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** `what` is one of `inputs.ts`. */
  input(what: number, id?: number, number?: number, a?: unknown, b?: unknown, c?: unknown): number {
    this.#show();
    this.#end = this.#next;
    return this.#client.input(what, id, number, a, b, c);
  }

  /** Has a socket's data message raised, if it is to be. */
  data(attempt: number, message: any, raise: (message: any) => void): void {
    const { sequenceId } = message;
    if (sequenceId === this.#next && sequenceId < this.#end && attempt === this.#attempt) {
      this.#next = sequenceId + 1;
      raise(message);
      return;
    }
    this.#show();
    const id = asNumber(sequenceId);
    const what = this.#client.data(attempt, id, Date.now());
    this.#attempt = attempt;
    this.#shown = this.#next = id + 1;
    this.#end = this.#next + (what >> 3);
    if (what & 4) this.input(input.DATA, attempt, id, message);
    if (what & 2) {
      // What is due, an ack for the most part, is for all frames that have come together with this one.
      if (what & 1 && id >= 0) this.#end = 2 ** 53;
      queueMicrotask(() => this.input(input.DUE));
    }
    if (what & 1) raise(message);
  }

  #show(): void {
    if (this.#shown === this.#next) return;
    this.#shown = this.#next;
    this.#client.data(this.#attempt, this.#next - 1, Date.now());
  }
}
