// One raw WebSocket: what it receives waits in a queue until a test asks for it.
import assert from "node:assert/strict";
import WebSocket from "ws";
import { deferred, Queue, within } from "./waiting.mjs";

export const JSON_V1 = "json.webpubsub.azure.v1";
export const RELIABLE_V1 = "json.reliable.webpubsub.azure.v1";
export const PROTOBUF_V1 = "protobuf.webpubsub.azure.v1";
export const PROTOBUF_RELIABLE_V1 = "protobuf.reliable.webpubsub.azure.v1";

/** The service answered the upgrade with something other than 101. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {import("node:http").IncomingHttpHeaders} headers
   * @param {string} body
   */
  constructor(status, headers, body) {
    super(`refused with ${status}: ${body}`);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/**
 * What the first frame of a JSON connection says.
 * @typedef {{
 *   type: "system", event: "connected", connectionId: string, userId?: string, reconnectionToken?: string,
 * }} ConnectedMessage
 */

export class Socket {
  #socket;
  /** @type {Queue<string | Buffer>} */
  #frames = new Queue();
  /** @type {ReturnType<typeof deferred<{ code: number, reason: string }>>} */
  #closed = deferred();
  #pings = 0;
  /**
   * What its first frame says, where that was read.
   * @type {ConnectedMessage | undefined}
   */
  connected;
  /** The connection's id, where it is known; otherwise empty. */
  id = "";

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /**
   * Resolves when the upgrade is done; rejects with {@link Refused} when it is not.
   * @param {string} url
   * @param {{ protocols?: string | string[], headers?: Record<string, string | string[]>, certificate?: string }} options
   */
  static async open(url, { protocols = [], headers = {}, certificate } = {}) {
    const socket = new Socket(new WebSocket(url, protocols, { headers, perMessageDeflate: false, ca: certificate }));
    await within(socket.#opened(), `an answer to the upgrade of ${new URL(url).pathname}`);
    return socket;
  }

  #opened() {
    const socket = this.#socket;
    /** @type {ReturnType<typeof deferred<void>>} */
    const opened = deferred();
    socket.on("open", () => {
      // The close frame is the end. The runtime keeps the transport of a client that never sent anything until
      // its idle object sleeps, ten seconds later.
      const { _receiver: receiver } = /** @type {{ _receiver: import("node:events").EventEmitter }} */ (
        /** @type {unknown} */ (socket)
      );
      receiver.on("conclude", (code, reason) => this.#end(code, reason));
      opened.resolve();
    });
    socket.on("error", opened.reject);
    socket.on("unexpected-response", async (_, response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      opened.reject(new Refused(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString()));
    });
    socket.on("message", (data, isBinary) =>
      this.#frames.push(isBinary ? /** @type {Buffer} */ (data) : data.toString()),
    );
    socket.on("close", (code, reason) => this.#end(code, reason));
    return opened.promise;
  }

  /**
   * Only the first end counts.
   * @param {number} code
   * @param {Buffer} reason
   */
  #end(code, reason) {
    this.#frames.fail(new Error(`closed with ${code} ${reason}`));
    this.#closed.resolve({ code, reason: reason.toString() });
  }

  /** The subprotocol that the service chose, in its spelling; empty for none. */
  get protocol() {
    return this.#socket.protocol;
  }

  /**
   * Sends text, bytes, or a value as JSON.
   * @param {unknown} message
   */
  send(message) {
    this.#socket.send(typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /**
   * Sends one text message as a frame for each piece.
   * @param {(string | Buffer)[]} pieces
   */
  sendInFragments(pieces) {
    for (const [n, piece] of pieces.entries()) this.#socket.send(piece, { fin: n === pieces.length - 1 });
  }

  /**
   * The next frame: a string, or a Buffer for a binary one.
   * @returns {Promise<string | Buffer>}
   */
  next(what = "a frame") {
    return this.#frames.next(what);
  }

  /**
   * The next frame, which must be JSON text.
   * @param {string} [what]
   */
  async json(what) {
    const frame = await this.next(what);
    assert.ok(typeof frame === "string", "a text frame");
    return JSON.parse(frame);
  }

  /**
   * Sends an operation with an ack id and returns the ack, which must be the next frame.
   * @param {{ type: string, ackId?: unknown, [member: string]: unknown }} message
   */
  async ask(message) {
    this.send(message);
    const ack = await this.json(`an ack of ${message.type}`);
    assert.deepEqual([ack.type, ack.ackId], ["ack", message.ackId], JSON.stringify(ack));
    return ack;
  }

  /**
   * Fails if anything was sent to this JSON connection before what the service has accepted so far. A ping
   * that is not the one that the platform answers by itself goes through the same queue as everything else.
   */
  async expectSilence() {
    const ping = { type: "ping", barrier: ++this.#pings };
    this.send(ping);
    assert.deepEqual(await this.json("a pong"), { type: "pong" }, "nothing was to come before the pong");
  }

  /** Code and reason of the close, once it is over. */
  closed() {
    return within(this.#closed.promise, "the close of a connection");
  }

  /**
   * Fails unless a server's closing is the next thing that happens to this JSON connection, for this reason if any.
   * @param {string} [reason]
   */
  async expectClosedByServer(reason) {
    const message = `Application server closed the connection.${reason ? ` Reason: ${reason}` : ""}`;
    assert.deepEqual(await this.json("the disconnected message"), { type: "system", event: "disconnected", message });
    assert.deepEqual(await this.closed(), { code: 1000, reason: "" });
  }

  /**
   * Closes from this side and returns what the service answered.
   * @param {number} [code]
   * @param {string} [reason]
   */
  close(code, reason) {
    this.#socket.close(code, reason);
    return this.closed();
  }

  /** Reads nothing more, not even from the transport, until {@link Socket#read}. */
  stopReading() {
    this.#socket.pause();
  }

  read() {
    this.#socket.resume();
  }

  /** Cuts the transport: no close frame. */
  cut() {
    this.#socket.terminate();
  }
}
