// Where the platform enters the worker. Every call is passed on as it is: nothing is decided here.
//
// `worker-build` makes an entry, too, with a proxy around each class and each call, which cost more than the calls. The
// build takes them off: `scripts/build/worker.mjs`.
import Generated, * as generated from "worker-build";
import { freeBytes } from "./body.ts";
import { askedWithSocket } from "./objects.ts";
import { type Constructed, noted, objectOf } from "./traps.ts";

const answer = Generated.prototype.fetch;

export default {
  fetch(request: Request, env: unknown): Response | Promise<Response> {
    try {
      return answer.call({ env }, request);
    } catch (error) {
      throw noted(error);
    }
  },
};

export class HubDirectory extends objectOf(generated.HubDirectory) {}

/**
 * From this many UTF-16 units on, a text goes to Rust as bytes: wasm-bindgen copies ASCII by the character, which takes
 * 3 µs a KB, and the platform's encoder a tenth of that.
 */
const LONG_TEXT = 512;

const encoder = new TextEncoder();

const NO_BYTES = new Uint8Array(0);

export class HubShard extends objectOf(generated.HubShard) {
  constructor(...given: Constructed) {
    super(...given);
    const [state] = given;
    // An alarm that is known is not set again: each waking would write a row.
    void state.blockConcurrencyWhile(async () => {
      const due = await state.storage.getAlarm();
      if (due !== null) this.call("foundAlarm", due);
    });
  }

  serve(head: string, body?: ArrayBuffer): string | Promise<string> {
    const bytes = body ? new Uint8Array(body) : NO_BYTES;
    const answer = this.call("serve", head, bytes);
    freeBytes(bytes);
    return answer;
  }

  override fetch(request: Request): Response | Promise<Response> {
    return this.call("ask", ...askedWithSocket(request), true) as Response | Promise<Response>;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void | Promise<void> {
    if (typeof message !== "string") return this.call("webSocketBytes", socket, new Uint8Array(message), false);
    if (message.length < LONG_TEXT) return this.call("webSocketText", socket, message);
    const bytes = encoder.encode(message);
    const done = this.call("webSocketBytes", socket, bytes, true);
    freeBytes(bytes);
    return done;
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void | Promise<void> {
    return this.call("webSocketClose", socket, code, reason);
  }

  override webSocketError(socket: WebSocket): void | Promise<void> {
    return this.call("webSocketError", socket);
  }
}
