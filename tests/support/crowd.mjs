// Very many connections that all receive the same.
import assert from "node:assert/strict";
import WebSocket from "ws";
import { deferred, within } from "./waiting.mjs";

const AT_ONCE = 100;
const LIMIT_MS = 120_000;

export class Crowd {
  /** @type {WebSocket[]} */
  #sockets = [];
  #expected = "";
  #left = 0;
  /** @type {ReturnType<typeof deferred<void>>} */
  #received = deferred();

  /**
   * Connects so many to `url()`, and takes the first frame of each if it is `greeted`.
   * @param {number} count
   * @param {() => string} url
   * @param {{ protocol?: string | string[], greeted?: boolean }} options
   */
  static async connect(count, url, { protocol = [], greeted = false } = {}) {
    const crowd = new Crowd();
    let next = 0;
    const queue = Array.from({ length: AT_ONCE }, async () => {
      while (next++ < count) await crowd.#connect(url(), protocol, greeted);
    });
    await within(Promise.all(queue), `${count} connections`, LIMIT_MS);
    return crowd;
  }

  /**
   * @param {string} url
   * @param {string | string[]} protocol
   * @param {boolean} greeted
   * @returns {Promise<void>}
   */
  #connect(url, protocol, greeted) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, protocol, { perMessageDeflate: false });
      this.#sockets.push(socket);
      socket.on("error", reject);
      socket.on("close", (code, reason) => this.#received.reject(new Error(`closed with ${code} ${reason}`)));
      const receive = (/** @type {WebSocket.RawData} */ data) => this.#receive(data.toString());
      if (greeted) {
        socket.once("message", () => {
          socket.on("message", receive);
          resolve();
        });
      } else {
        socket.on("message", receive);
        socket.on("open", resolve);
      }
    });
  }

  /** @param {string} text */
  #receive(text) {
    if (text !== this.#expected) this.#received.reject(new Error(`received ${text}, expected ${this.#expected}`));
    else if (--this.#left === 0) this.#received.resolve();
  }

  get size() {
    return this.#sockets.length;
  }

  /**
   * Sends, and resolves when each has received this text and nothing else; with how many milliseconds that took.
   * @param {string} text
   * @param {() => unknown} send
   */
  async receive(text, send) {
    [this.#expected, this.#left, this.#received] = [text, this.size, deferred()];
    const started = performance.now();
    await send();
    await within(this.#received.promise, `${text} at everybody`, LIMIT_MS);
    assert.equal(this.#left, 0);
    return performance.now() - started;
  }

  /** Drops all connections. */
  leave() {
    for (const socket of this.#sockets)
      socket
        .removeAllListeners("close")
        .on("error", () => {})
        .terminate();
  }
}
