// One package's side of a comparison: a client whose calls, results, errors and events go to a log, in order.
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { ScriptedService } from "../../client/scripted-service.mjs";
import { EventHandler } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { Link } from "../../support/link.mjs";
import { clientClaims, sign } from "../../support/token.mjs";
import { Queue } from "../../support/waiting.mjs";

/** The events of Microsoft's package, and what it passes to their listeners. */
const EVENTS = {
  connected: ["connectionId", "userId"],
  disconnected: ["connectionId", "message"],
  stopped: [],
  "server-message": ["message"],
  "group-message": ["message"],
  "rejoin-group-failed": ["group", "error"],
};

/** Everything is tried once, and a new connection is tried at once. */
const AT_ONCE = { messageRetryOptions: { maxRetries: 0 }, reconnectRetryOptions: { retryDelayInMs: 5 } };

export class Side {
  /** What happened, in order. */
  log = [];
  #queues = new Map(Object.keys(EVENTS).map((name) => [name, new Queue()]));
  /** Ids of this run by what stands for them in the log. */
  #ids = new Map();

  constructor(t, service, exported, reliable) {
    this.t = t;
    this.service = service;
    this.exported = exported;
    this.reliable = reliable;
    this.hub = service.newHub();
    const { WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } = exported;
    this.protocol = reliable ? WebPubSubJsonReliableProtocol() : WebPubSubJsonProtocol();
  }

  /** Makes the client. Without a credential it is one of the hub that may do everything. */
  make(credential = this.hub.clientUrl({ user: "alice", roles: ALL_ROLES }), options = {}) {
    const all = { protocol: this.protocol, ...AT_ONCE, ...options };
    this.client = this.attempt("new", () => new this.exported.WebPubSubClient(credential, all));
    if (!this.client) return this;
    for (const [name, fields] of Object.entries(EVENTS)) {
      this.client.on(name, (event) => {
        this.log.push([`event ${name}`, this.#plain(Object.fromEntries(fields.map((field) => [field, event[field]])))]);
        this.#queues.get(name)?.push(event);
      });
    }
    this.t.after(() => this.client.stop());
    return this;
  }

  /** Makes the client and connects it. */
  async connect(credential, options) {
    this.make(credential, options);
    await this.call("start");
    return this.event("connected");
  }

  /** The same over a wire that can be cut. */
  async connectOverLink(options) {
    const link = await Link.to(this.service);
    this.t.after(() => link.close());
    const audience = `${link.endpoint}/client/hubs/${this.hub.name}`;
    const token = sign(clientClaims({ audience, user: "alice", roles: ALL_ROLES }), this.service.key);
    await this.connect(`${audience.replace("http", "ws")}?access_token=${token}`, options);
    return link;
  }

  /** A service that does what a scenario says, in place of the real one, and the client's connection to it. */
  async script(options, credential = (service) => service.url) {
    const service = await ScriptedService.start();
    this.t.after(() => service.stop());
    this.make(credential(service), options);
    return service;
  }

  /** The same, connected. */
  async scriptConnected(options) {
    const service = await this.script(options);
    const started = this.call("start");
    const connection = await service.connection();
    connection.connected();
    await started;
    await this.event("connected");
    return { service, connection };
  }

  /** An event handler of the hub. */
  async handler() {
    const handler = await EventHandler.start(this.t);
    await this.hub.useHandler(handler);
    return handler;
  }

  get server() {
    return new WebPubSubServiceClient(this.service.connectionString, this.hub.name, { allowInsecureConnection: true });
  }

  /** Calls a method of the client, and logs what came of it. */
  async call(method, ...given) {
    try {
      const result = await this.client[method](...given);
      this.log.push([method, "gives", this.#plain(result)]);
      return result;
    } catch (error) {
      this.log.push([method, "fails", this.#plain(error)]);
      return undefined;
    }
  }

  /** Does something that may throw, and logs if it does. */
  attempt(what, work) {
    try {
      return work();
    } catch (error) {
      this.log.push([what, "throws", this.#plain(error)]);
      return undefined;
    }
  }

  /** The next event of this name. */
  event(name) {
    return this.#queues.get(name)?.next(`the event ${name}`);
  }

  /** Writes something of a scenario's own to the log. */
  note(what, value) {
    this.log.push([what, this.#plain(value)]);
  }

  /** A value as it can be compared: ids by number, bytes and errors by what is in them. */
  #plain(value) {
    if (value instanceof ArrayBuffer) return { bytes: [...new Uint8Array(value)] };
    if (ArrayBuffer.isView(value)) return { view: value.constructor.name };
    if (value instanceof Error) {
      const { name, message, ackId, invocationId, errorDetail } =
        /** @type {Error & { ackId?: number, invocationId?: string, errorDetail?: object }} */ (value);
      return this.#plain({ error: name, message, ackId, invocationId, errorDetail });
    }
    if (Array.isArray(value)) return value.map((inner) => this.#plain(inner));
    // Microsoft's client has the whole frame in it, and this much in its types.
    if (value?.kind === "disconnected") value = { kind: value.kind, message: value.message };
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, inner]) => inner !== undefined)
          .map(([name, inner]) => [name, this.#field(name, inner)]),
      );
    return value;
  }

  #field(name, value) {
    if (name !== "connectionId" || typeof value !== "string") return this.#plain(value);
    if (!this.#ids.has(value)) this.#ids.set(value, `connection ${this.#ids.size + 1}`);
    return this.#ids.get(value);
  }
}
