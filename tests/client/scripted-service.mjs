// A service that does what a test asks, and by default what a client hopes for.
import { createServer } from "node:http";
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { Queue } from "../support/waiting.mjs";
import { portOf } from "../support/port.mjs";

export class ScriptedService {
  #http = createServer((_request, response) => response.writeHead(400).end());
  #sockets = new WebSocketServer({ noServer: true, handleProtocols: ([offered]) => offered });
  #connections = new Queue();
  #upgrades = new Queue();
  #hanging = [];
  /** The status to refuse the next upgrades with; none to accept them. */
  refuseWith;
  /** The body of such a refusal, and its type. */
  refusal = { body: "", type: "text/plain" };
  /** Whether pings are answered. */
  answersPings = true;
  /** Whether the next upgrades are left without an answer. */
  hangs = false;
  /** What follows a client's message: the acks and echoes of a service that does everything. */
  answer = (connection, message) => {
    const { ackId, group, dataType, data } = message;
    if (message.type === "sendToGroup") connection.say({ type: "message", from: "group", group, dataType, data });
    if (ackId !== undefined) connection.ack(ackId);
  };

  /** Starts one, on any free port where none is named. */
  static async start(port = 0) {
    const service = new ScriptedService();
    service.#http.on("upgrade", (request, socket, head) => service.#upgrade(request, socket, head));
    await once(service.#http.listen(port, "127.0.0.1"), "listening");
    return service;
  }

  get port() {
    return portOf(this.#http);
  }

  /** A client access URL. */
  get url() {
    return `ws://127.0.0.1:${this.port}/client/hubs/chat?access_token=secret`;
  }

  /** The next upgrade that a client asks for, however it is answered. */
  upgrade() {
    return this.#upgrades.next("an upgrade");
  }

  /** The next connection that a client makes. */
  connection() {
    return this.#connections.next("a connection");
  }

  async stop() {
    for (const socket of this.#sockets.clients) socket.terminate();
    for (const socket of this.#hanging) socket.destroy();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  #upgrade(request, socket, head) {
    this.#upgrades.push(request.url);
    // A client need not read a refusal to its end.
    socket.on("error", () => {});
    if (this.hangs) return void this.#hanging.push(socket);
    if (this.refuseWith) {
      const { body, type } = this.refusal;
      const head = `HTTP/1.1 ${this.refuseWith} Refused\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
      socket.end(head + body);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#connections.push(new Connection(this, webSocket, new URL(request.url, "ws://service")));
    });
  }
}

class Connection {
  #messages = new Queue();
  #pings = new Queue();

  constructor(service, socket, { searchParams }) {
    this.socket = socket;
    this.protocol = socket.protocol;
    this.query = Object.fromEntries(searchParams);
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      if (message.type === "ping") {
        this.#pings.push(message);
        if (service.answersPings) this.say({ type: "pong" });
        return;
      }
      this.#messages.push(message);
      service.answer(this, message);
    });
  }

  /** The client's next ping. */
  ping() {
    return this.#pings.next("a ping of the client");
  }

  /** The client's next message that is no ping. */
  message() {
    return this.#messages.next("a message of the client");
  }

  /** The client's messages so far, pings left out, that no test has taken. */
  messages() {
    return this.#messages.drain();
  }

  say(frame) {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  connected(connectionId = "c1", more = {}) {
    this.say({
      type: "system",
      event: "connected",
      userId: "alice",
      connectionId,
      reconnectionToken: `token of ${connectionId}`,
      ...more,
    });
  }

  ack(ackId) {
    this.say({ type: "ack", ackId, success: true });
  }

  refuse(ackId, name, message = "No.") {
    this.say({ type: "ack", ackId, success: false, error: { name, message } });
  }

  close(code, reason) {
    this.socket.close(code, reason);
  }

  /** Loses the link. */
  drop() {
    this.socket.terminate();
  }
}
