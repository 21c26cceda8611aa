// A wire between a client and the service that a test can cut.
import { once } from "node:events";
import net from "node:net";
import { portOf } from "./port.mjs";

export class Link {
  #server = net.createServer();
  /** @type {Set<net.Socket>} */
  #sockets = new Set();
  /** @type {Set<net.Socket>} */
  #fromService = new Set();
  #isDown = false;
  endpoint = "";
  /** How many connections it has carried. */
  carried = 0;
  /**
   * Of a link that wears out: after how many bytes in one direction the next connection breaks.
   * @type {(() => number) | undefined}
   */
  wear;

  /**
   * With a `delay` in milliseconds, what the service says takes that long to arrive. With `wear` each connection breaks
   * after so many bytes in either direction, wherever that is in a message.
   * @param {{ port: number }} service
   * @param {{ delay?: number, wear?: () => number }} options
   */
  static async to(service, { delay = 0, wear } = {}) {
    const link = new Link();
    link.wear = wear;
    link.#server.on("connection", (near) => link.#accept(near, net.connect(service.port, "127.0.0.1"), delay));
    await once(link.#server.listen(0, "127.0.0.1"), "listening");
    link.endpoint = `http://127.0.0.1:${portOf(link.#server)}`;
    return link;
  }

  /**
   * @param {net.Socket} near
   * @param {net.Socket} far
   * @param {number} delay
   */
  #accept(near, far, delay) {
    this.#carry(near, far);
    this.#carry(far, near, delay);
    this.#fromService.add(far);
    far.on("close", () => this.#fromService.delete(far));
    if (this.#isDown) near.destroy();
    else this.carried++;
  }

  /**
   * @param {net.Socket} from
   * @param {net.Socket} to
   */
  #carry(from, to, delay = 0) {
    const later = (/** @type {() => void} */ work) => void (delay > 0 ? setTimeout(work, delay) : work());
    let left = this.wear?.() ?? Infinity;
    this.#sockets.add(from);
    from.on("data", (/** @type {Buffer} */ chunk) => {
      const bytes = this.wear ? chunk.subarray(0, left) : chunk;
      left -= bytes.length;
      later(() => to.write(bytes, () => bytes.length < chunk.length && from.destroy()));
    });
    from.on("end", () => later(() => to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      later(() => to.destroy());
    });
  }

  /** Drops everything that is connected, without a goodbye; new connections are taken. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Keeps back what the service says to those that are connected, until they are cut off. */
  hold() {
    for (const socket of this.#fromService) socket.pause();
  }

  /** Drops everything that is connected, and whoever tries to connect. */
  down() {
    this.#isDown = true;
    this.cut();
  }

  up() {
    this.#isDown = false;
  }

  close() {
    this.cut();
    this.#server.close();
  }
}
