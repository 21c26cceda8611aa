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
  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   * @param {Buffer} body
   */
  constructor(request, response, body) {
    const { method = "", url = "", rawHeaders } = request;
    this.method = method;
    this.url = url;
    /** @type {[name: string, value: string][]} */
    this.headers = rawHeaders.flatMap((name, n) => (n % 2 === 0 ? [[name, utf8(rawHeaders[n + 1])]] : []));
    this.body = body;
    this.at = performance.now();
    /**
     * Resolves when its answer is over, or the service has hung up.
     * @type {Promise<void>}
     */
    this.over = new Promise((resolve) => response.on("close", resolve));
  }

  /**
   * All values of a header, their bytes read as UTF-8.
   * @param {string} name
   */
  all(name) {
    return this.headers.filter(([its]) => its.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  }

  /**
   * The one value of a header; undefined where there is none.
   * @param {string} name
   */
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

/**
 * Node returns the bytes of a header's value as Latin-1.
 * @param {string} value
 */
const utf8 = (value) => Buffer.from(value, "latin1").toString();

export class EventHandler {
  #server = http.createServer((request, response) => this.#receive(request, response));
  /** @type {Map<string, Answering[]>} */
  #answers = new Map();
  /** @type {Map<string, Queue<Asked>>} */
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

  /**
   * Starts one that goes when the test does.
   * @param {{ after(stop: () => unknown): void }} [t]
   */
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

  /**
   * Has requests of this kind wait; the function that is returned answers the first of them, and the later ones well.
   * @param {string} kind
   */
  hold(kind) {
    /** @type {ReturnType<typeof deferred<Answer>>} */
    const gate = deferred();
    this.answer(kind, () => gate.promise, {});
    return (/** @type {Answer} */ answer = {}) => gate.resolve(answer);
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
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

  /**
   * @param {Asked} asked
   * @param {http.ServerResponse} response
   */
  #answerTo(asked, response) {
    const answers = this.#answers.get(asked.kind) ?? [HANDSHAKES.includes(asked.kind) ? WELCOME : {}];
    const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers;
    return typeof answer === "function" ? answer(asked, response) : answer;
  }

  /** @param {string} kind */
  #queueOf(kind) {
    const queue = this.#queues.get(kind) ?? new Queue();
    this.#queues.set(kind, queue);
    return queue;
  }

  /**
   * The next request of this kind that no test has taken yet.
   * @param {string} kind
   */
  next(kind) {
    return this.#queueOf(kind).next(`a request ${kind}`);
  }

  /**
   * The kinds of all events so far, of one connection if it is named, in order.
   * @param {string} [connection]
   */
  kinds(connection) {
    return this.asked
      .filter((asked) => (connection ? asked.connection === connection : asked.connection))
      .map(({ kind }) => kind);
  }

  /**
   * How many requests of this kind there were.
   * @param {string} kind
   */
  count(kind) {
    return this.asked.filter((asked) => asked.kind === kind).length;
  }
}

// What a handler can do instead of answering.

/**
 * A handler, and a new hub of `service` that sends it what `which` settings say.
 * @param {import("node:test").TestContext} t
 * @param {import("./service.mjs").Service} service
 * @param {object} [which]
 */
export async function startWithHub(t, service, which) {
  const handler = await EventHandler.start(t);
  const hub = service.newHub();
  await hub.useHandler(handler, which);
  return { handler, hub };
}

export const hang = () => undefined;

/**
 * @param {Asked} _
 * @param {http.ServerResponse} response
 */
export function reset(_, response) {
  response.socket?.resetAndDestroy();
}

/**
 * @param {Asked} _
 * @param {http.ServerResponse} response
 */
export function garbage(_, response) {
  response.socket?.end("This is no HTTP.\r\n\r\n");
}

/**
 * An answer that ends before its time.
 * @param {Asked} _
 * @param {http.ServerResponse} response
 */
export function half(_, response) {
  response.writeHead(200, { "content-type": "text/plain", "content-length": 100 });
  response.write("half", () => response.socket?.destroy());
}

/**
 * The head of an answer, and no body.
 * @param {Asked} _
 * @param {http.ServerResponse} response
 */
export function headOnly(_, response) {
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
}

/**
 * An answer without an end.
 * @param {Asked} _
 * @param {http.ServerResponse} response
 */
export function endless(_, response) {
  response.writeHead(200, { "content-type": "text/plain" });
  const chunk = Buffer.alloc(65_536, "x");
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
}
