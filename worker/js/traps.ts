// After a trap the module starts over with a memory of its own, in which the objects that were made before
// do not exist: each is made anew with its next call.
import { DurableObject } from "cloudflare:workers";

/** How often the module has trapped. */
let traps = 0;

addEventListener("error", ({ error }) => noted(error));

/** Counts an error that is a trap, and returns it. */
export function noted(error: unknown): unknown {
  if (error instanceof WebAssembly.RuntimeError) traps++;
  return error;
}

/** The handlers of a Durable Object, methods of a Rust type. A directory has the first two, and no sockets. */
export interface Handlers {
  /** Answers with a response where it is offered a socket. */
  ask(path: string, body: string, isOffer: boolean): unknown;
  alarm(): void | Promise<void>;
  foundAlarm(due: number): void;
  serve(head: string, body: Uint8Array): string | Promise<string>;
  webSocketText(socket: WebSocket, text: string): void | Promise<void>;
  webSocketBytes(socket: WebSocket, bytes: Uint8Array, isText: boolean): void | Promise<void>;
  webSocketClose(socket: WebSocket, code: number, reason: string): void | Promise<void>;
  webSocketError(socket: WebSocket): void | Promise<void>;
}

/** The same, so that a method can be called by a name that is not known. */
type Methods = {
  [Name in keyof Handlers]: (...given: Parameters<Handlers[Name]>) => ReturnType<Handlers[Name]>;
};
export type Constructed = [state: DurableObjectState, env: unknown];

/** A class as wasm-bindgen makes it of a Rust type. */
export type Generated = new (...given: Constructed) => Handlers;

/** The class of a Durable Object whose handlers are methods of a Rust type. */
export function objectOf(Kind: Generated) {
  return class extends DurableObject<unknown> {
    #object!: Methods;
    #traps!: number;
    #given: Constructed;

    constructor(...given: Constructed) {
      super(...given);
      this.#given = given;
      this.#start();
    }

    #start(): void {
      this.#object = new Kind(...this.#given);
      this.#traps = traps;
    }

    call<Method extends keyof Handlers>(method: Method, ...given: Parameters<Handlers[Method]>) {
      try {
        if (this.#traps !== traps) this.#start();
        return this.#object[method](...given);
      } catch (error) {
        throw noted(error);
      }
    }

    ask(path: string, body: string): string | Promise<string> {
      return this.call("ask", path, body, false) as string | Promise<string>;
    }

    override alarm(): void | Promise<void> {
      return this.call("alarm");
    }
  };
}
