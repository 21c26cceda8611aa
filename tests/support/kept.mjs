// One TCP connection that many HTTP/1.1 requests go over, written byte by byte: no library hides how it ends.
import net from "node:net";
import { within } from "./waiting.mjs";

export class Kept {
  #socket;
  #received = Buffer.alloc(0);
  /** @type {Error | undefined} */
  #ended;
  #wake = () => {};

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (/** @type {Buffer} */ chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the service closed the connection")));
  }

  /** @param {{ port: number }} service */
  static async to({ port }) {
    const socket = net.connect(port, "127.0.0.1");
    const kept = new Kept(socket);
    await within(new Promise((resolve, reject) => socket.on("connect", resolve).on("error", reject)), "a connection");
    return kept;
  }

  /** @param {Error} error */
  #end(error) {
    this.#ended ??= error;
    this.#wake();
  }

  /**
   * Sends bytes or text, and resolves when the operating system has taken all of them.
   * @param {string | Buffer} bytes
   */
  write(bytes) {
    return new Promise((resolve) => this.#socket.write(bytes, resolve));
  }

  /** The next answer that is none to `HEAD`: its status, its headers with lower-case names, its body as text. */
  answer(what = "an answer") {
    return within(this.#answer(), what);
  }

  async #answer() {
    const head = await this.#until((bytes) => bytes.indexOf("\r\n\r\n"), 4);
    const [line, ...lines] = head.split("\r\n");
    const headers = Object.fromEntries(
      lines.map((text) => [text.slice(0, text.indexOf(":")).toLowerCase(), text.slice(text.indexOf(":") + 1).trim()]),
    );
    const status = Number(line.split(" ")[1]);
    if (status < 200 || status === 204) return { status, headers, body: "" };
    if (headers["transfer-encoding"] === "chunked") return { status, headers, body: await this.#chunks() };
    const length = Number(headers["content-length"] ?? 0);
    const body = await this.#until((bytes) => (bytes.length >= length ? length : -1), 0);
    return { status, headers, body };
  }

  async #chunks() {
    let body = "";
    for (;;) {
      const length = Number.parseInt(await this.#until((bytes) => bytes.indexOf("\r\n"), 2), 16);
      body += await this.#until((bytes) => (bytes.length >= length + 2 ? length : -1), 2);
      if (length === 0) return body;
    }
  }

  /**
   * What comes before the place that `find` sees, once it does; as much as `skip` after that is dropped.
   * @param {(bytes: Buffer) => number} find
   * @param {number} skip
   */
  async #until(find, skip) {
    for (;;) {
      const at = find(this.#received);
      if (at >= 0) {
        const found = this.#received.toString("latin1", 0, at);
        this.#received = this.#received.subarray(at + skip);
        return found;
      }
      if (this.#ended) throw this.#ended;
      await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    }
  }

  /** Waits until the service has closed the connection. */
  closed() {
    const closed = async () => {
      while (!this.#ended) await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    };
    return within(closed(), "the end of a connection");
  }

  end() {
    this.#socket.destroy();
  }
}

/**
 * A request as it stands on the wire; a body that is `chunked` goes without its length being announced.
 * @param {string} method
 * @param {string} target
 * @param {{ host: string, headers?: Record<string, string | undefined>, body?: Buffer, chunked?: boolean }} options
 */
export function requestBytes(method, target, { host, headers = {}, body = Buffer.alloc(0), chunked = false }) {
  const length = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = Buffer.from([`${method} ${target} HTTP/1.1`, `Host: ${host}`, length, ...lines, "", ""].join("\r\n"));
  return Buffer.concat(chunked ? [head, ...chunks(body), Buffer.from("0\r\n\r\n")] : [head, body]);
}

/**
 * A body in chunks of 64 KiB.
 * @param {Buffer} body
 */
function chunks(body) {
  const parts = [];
  for (let at = 0; at < body.length; at += 65_536) {
    const part = body.subarray(at, at + 65_536);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
  }
  return parts;
}
