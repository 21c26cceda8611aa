// Where the platform enters the worker. Every call is passed on as it is: nothing is decided here.
//
// `worker-build` makes an entry, too, with a class and three proxies that cost more than the calls.
import Generated, * as generated from "worker-build";
import { freeBytes } from "./body.ts";
import { noted, objectOf } from "./traps.ts";

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
 * Bodies that are read before anything has looked at their requests: nearly all of them are needed, and with the
 * body there Rust has nothing to wait for.
 */
const READ_FIRST = { most: 65536, types: /^(text\/plain|application\/(json|octet-stream))\b/ };

function isReadFirst({ url, headers }: Request): boolean {
  const length = headers.get("Content-Length");
  return (
    length !== null &&
    Number(length) <= READ_FIRST.most &&
    READ_FIRST.types.test(headers.get("Content-Type") ?? "") &&
    !headers.has("Expect") &&
    // The Worker's own requests and those of other objects.
    !url.startsWith("https://object/")
  );
}

/**
 * From this many UTF-16 units on, a text goes to Rust as bytes: wasm-bindgen copies ASCII by the character, which takes
 * 3 µs a KB, and the platform's encoder a tenth of that.
 */
const LONG_TEXT = 512;

const encoder = new TextEncoder();

export class HubShard extends objectOf(generated.HubShard) {
  override fetch(request: Request): Response | Promise<Response> {
    if (!isReadFirst(request)) return this.call("fetch", request);
    return request.arrayBuffer().then((body) => this.call("fetch", request, body));
  }

  webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void | Promise<void> {
    if (typeof message !== "string") return this.call("webSocketBytes", socket, new Uint8Array(message), false);
    if (message.length < LONG_TEXT) return this.call("webSocketText", socket, message);
    const bytes = encoder.encode(message);
    const done = this.call("webSocketBytes", socket, bytes, true);
    freeBytes(bytes);
    return done;
  }

  webSocketClose(socket: WebSocket, code: number, reason: string): void | Promise<void> {
    return this.call("webSocketClose", socket, code, reason);
  }

  webSocketError(socket: WebSocket): void | Promise<void> {
    return this.call("webSocketError", socket);
  }
}
