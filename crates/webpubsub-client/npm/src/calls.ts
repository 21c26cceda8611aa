// What an application has called and not been answered, by the numbers that the core answers to.
import type { Core } from "./allowance.js";
import type { AbortSignalLike } from "./models.js";
import * as input from "./inputs.js";
import { asError } from "./values.js";

/** A call of the application that waits for the core's answer. */
export interface Call {
  resolve(value?: unknown): void;
  reject(error: unknown): void;
  abortSignal?: AbortSignalLike;
}

/** The calls of the application that wait for answers: the core answers to their numbers. */
export class Calls {
  readonly #waiting = new Map<number, Call>();
  readonly #withCore: (use: (core: Core) => void) => void;
  readonly #changed: () => void;
  #last = 0;
  /** The number of the one that is being begun. */
  beginning?: number;

  /** `withCore` uses the core as soon as it is loaded; `changed` is called when there is one more, or one less. */
  constructor(withCore: (use: (core: Core) => void) => void, changed: () => void) {
    this.#withCore = withCore;
    this.#changed = changed;
  }

  get areThere(): boolean {
    return this.#waiting.size > 0;
  }

  get(id: number): Call | undefined {
    return this.#waiting.get(id);
  }

  rejectAll(error: unknown): void {
    for (const call of [...this.#waiting.values()]) call.reject(error);
  }

  /**
   * Numbers a call and begins it. What the application's arguments make `begin` throw rejects at once, as what
   * `refused` makes of it.
   */
  make<T>(
    abortSignal: AbortSignalLike | undefined,
    begin: (core: Core, id: number) => void,
    refused: (cause: Error) => unknown,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = ++this.#last;
      const abort = () => this.#withCore((core) => core.input(input.ABORT, id));
      const end = () => {
        abortSignal?.removeEventListener("abort", abort);
        this.#waiting.delete(id);
        this.#changed();
      };
      const call: Call = {
        resolve: (value) => (end(), resolve(value as T)),
        reject: (error) => (end(), reject(error)),
        abortSignal,
      };
      try {
        // Nothing waits for an answer where this is no signal.
        abortSignal?.removeEventListener("abort", abort);
        abortSignal?.addEventListener("abort", abort);
      } catch (error) {
        return reject(refused(asError(error)));
      }
      this.#waiting.set(id, call);
      this.#changed();
      this.#withCore((core) => {
        try {
          this.beginning = id;
          begin(core, id);
        } catch (error) {
          call.reject(refused(asError(error)));
        } finally {
          this.beginning = undefined;
        }
      });
    });
  }
}
