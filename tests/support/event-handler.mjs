// An event handler that keeps everything it is asked, and answers as it is set to: well, badly, late or not at all.
import assert from "node:assert/strict";
import http from "node:http";
import { portOf } from "./port.mjs";
import { deferred, Queue } from "./waiting.mjs";

const HANDSHAKES = ["OPTIONS", "GET"];
const WELCOME = { headers: { "WebHook-Allowed-Origin": "*" } };

/** Why hubs need not grow while their events are sent. */
export const OWN_SHARD = "a connection's events are its own shard's affair";
/** Variables of a service whose event handlers are on this machine, and that does not pause between attempts. */
export const AT_ONCE = { ALLOW_PRIVATE_EVENT_HANDLERS: "true", EVENT_RETRY_SECONDS: "0,0,0" };
/** How often such a service tries. */
export const ATTEMPTS = 4;

/** One request, whole. */
export class Asked {
  /** Resolves when its answer is over, or the service has hung up. */
  over;

  constructor(request, response, body) {
    const { method, url, rawHeaders } = request;
    const headers = rawHeaders.flatMap((name, n) => (n % 2 === 0 ? [[name, utf8(rawHeaders[n + 1])]] : []));
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.body = body;
    this.at = performance.now();
    this.over = new Promise((resolve) => response.on("close", resolve));
  }

  /** All values of a header, their bytes read as UTF-8. */
  all(name) {
    return this.headers.filter(([its]) => its.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  }

  /** The one value of a header; undefined where there is none. */
  header(name) {
    const values = this.all(name);
    assert.ok(values.length < 2, `${name} came ${values.length} times`);
    return values[0];
  }

  /** Of an event `sys.connect`, `user.chat`, `gp.joined` and so on; of a handshake its method. */
  get kind() {
    return this.header("ce-type")?.replace("azure.webpubsub.", "") ?? this.method;
  }

  /** The event's number, which is its connection's own. */
  get id() {
    return Number(this.header("ce-id"));
  }

  get connection() {
    return this.header("ce-connectionId");
  }

  get text() {
    return this.body.toString();
  }

  get json() {
    return JSON.parse(this.text);
  }
}

/** Node returns the bytes of a header's value as Latin-1. */
const utf8 = (value) => Buffer.from(value, "latin1").toString();

export class EventHandler {
  #server = http.createServer((request, response) => this.#receive(request, response));
  #answers = new Map();
  #queues = new Map();
  origin = "";
  /**
   * Everything that it was asked, in order.
   * @type {Asked[]}
   */
  asked = [];
  /** How many requests wait for their answers, and how many did at most. */
  underWay = 0;
  mostUnderWay = 0;

  /** Starts one that goes when the test does. */
  static async start(t) {
    const handler = new EventHandler();
    // A connection that the service uses again must not be closed at that moment.
    handler.#server.keepAliveTimeout = 0;
    await new Promise((resolve) => handler.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
    handler.origin = `http://127.0.0.1:${portOf(handler.#server)}`;
    t?.after(() => handler.stop());
    return handler;
  }

  stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get url() {
    return `${this.origin}/eventhandler`;
  }

  /**
   * Answers requests of this kind with these in turn, the last one for good. An answer has a status, headers and a
   * body; or is a function of the request and Node's response that returns one, or does something else and returns none.
   * @typedef {{ status?: number, headers?: http.OutgoingHttpHeaders, body?: string | Buffer }} Answer
   * @typedef {Answer | ((asked: Asked, response: http.ServerResponse) => void | Answer | Promise<Answer>)} Answering
   * @param {string} kind
   * @param {Answering[]} answers
   */
  answer(kind, ...answers) {
    this.#answers.set(kind, answers);
  }

  /** Has requests of this kind wait; the function that is returned answers the first of them, and the later ones well. */
  hold(kind) {
    const gate = deferred();
    this.answer(kind, () => gate.promise, {});
    return (answer = {}) => gate.resolve(answer);
  }

  async #receive(request, response) {
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    response.on("close", () => this.underWay--);
    response.on("error", () => {});
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      // The service gave up before it had said everything.
      return;
    }
    const asked = new Asked(request, response, Buffer.concat(chunks));
    this.asked.push(asked);
    this.#queueOf(asked.kind).push(asked);
    const answer = await this.#answerTo(asked, response);
    if (!answer || response.destroyed) return;
    const { status = 200, headers = {}, body = "" } = answer;
    response.writeHead(status, headers);
    response.end(body);
  }

  #answerTo(asked, response) {
    const answers = this.#answers.get(asked.kind) ?? [HANDSHAKES.includes(asked.kind) ? WELCOME : {}];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return typeof answer === "function" ? answer(asked, response) : answer;
  }

  #queueOf(kind) {
    if (!this.#queues.has(kind)) this.#queues.set(kind, new Queue());
    return this.#queues.get(kind);
  }

  /** The next request of this kind that no test has taken yet. */
  next(kind) {
    return this.#queueOf(kind).next(`a request ${kind}`);
  }

  /** The kinds of all events so far, of one connection if it is named, in order. */
  kinds(connection) {
    return this.asked
      .filter((asked) => (connection ? asked.connection === connection : asked.connection))
      .map(({ kind }) => kind);
  }

  /** How many requests of this kind there were. */
  count(kind) {
    return this.asked.filter((asked) => asked.kind === kind).length;
  }
}

// What a handler can do instead of answering.

/** A handler, and a new hub of `service` that sends it what `which` settings say. */
export async function startWithHub(t, service, which) {
  const handler = await EventHandler.start(t);
  const hub = service.newHub();
  await hub.useHandler(handler, which);
  return { handler, hub };
}

export const hang = () => undefined;

export function reset(_, response) {
  response.socket.resetAndDestroy();
}

export function garbage(_, response) {
  response.socket.end("This is no HTTP.\r\n\r\n");
}

/** An answer that ends before its time. */
export function half(_, response) {
  response.writeHead(200, { "content-type": "text/plain", "content-length": 100 });
  response.write("half", () => response.socket.destroy());
}

/** The head of an answer, and no body. */
export function headOnly(_, response) {
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
}

/** An answer without an end. */
export function endless(_, response) {
  response.writeHead(200, { "content-type": "text/plain" });
  const chunk = Buffer.alloc(65_536, "x");
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
}
