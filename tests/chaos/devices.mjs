// A run with devices: MQTT.js publishes and subscribes at QoS 1 and 2, beside a client of another protocol and a server,
// while the process is killed and connections are cut, between messages and within them.
import { once } from "node:events";
import { setTimeout as pass } from "node:timers/promises";
import { WebPubSubClient } from "@azure/web-pubsub-client";
import mqtt from "mqtt";
import { ALL_ROLES } from "../support/hub.mjs";
import { Link } from "../support/link.mjs";
import { Random } from "../support/random.mjs";
import { clientClaims, sign } from "../support/token.mjs";
import { until, within } from "../support/waiting.mjs";

const TOPIC = "room";
const VERSIONS = /** @type {const} */ ([4, 5]);
const QOS = /** @type {const} */ ([1, 2]);
const RECONNECT_AFTER_MS = 200;
const LARGEST_BURST = 6;
const PAUSE_MS = 40;
/** After how many bytes in one direction a connection breaks by itself. */
const WEAR_BYTES = { least: 5_000, more: 50_000 };
/** The code of a PUBCOMP for a message that was done before, whose PUBCOMP was lost. */
const ALREADY_DONE = 0x92;

/**
 * @import { Hub } from "../support/hub.mjs"
 * @import { Service } from "../support/service.mjs"
 */

/**
 * What devices send each other: the message's number among its publisher's, and at which QoS it was published.
 * @typedef {{ from: string, n: number, qos: number }} Message
 *
 * Notes that a promise was broken.
 * @typedef {(kind: string, words: string) => void} Violation
 */

/** One of every protocol version and QoS. */
const kinds = VERSIONS.flatMap((version) => QOS.map((qos) => ({ version, qos })));
/** And those that take one message or two at once. */
const narrow = QOS.map((most) => ({ version: /** @type {const} */ (5), qos: /** @type {const} */ (2), most }));

/** What one subscriber was sent of each publisher. */
class Received {
  repeated = 0;
  /**
   * By publisher: how often each of its messages has come.
   * @type {Map<string, number[]>}
   */
  #of = new Map();
  #name;
  #violation;

  /**
   * @param {string} name
   * @param {Violation} violation
   */
  constructor(name, violation) {
    [this.#name, this.#violation] = [name, violation];
  }

  /**
   * @param {Message} message
   * @param {boolean} isOnce Whether it must not come again.
   */
  take({ from, n }, isOnce) {
    const times = this.#of.get(from) ?? [];
    this.#of.set(from, times);
    const what = `${this.#name} received number ${n} of ${from}`;
    if (times[n] === undefined && n < times.length - 1)
      this.#violation("reordered", `${what} after ${times.length - 1}`);
    times[n] = (times[n] ?? 0) + 1;
    if (times[n] === 1) return;
    this.repeated++;
    if (isOnce) this.#violation("doubled", `${what} ${times[n]} times`);
  }

  get count() {
    return [...this.#of.values()].flat().length;
  }

  /**
   * What has not come of so many of each publisher.
   * @param {Map<string, number>} acknowledged
   */
  missing(acknowledged) {
    return [...acknowledged].flatMap(([from, count]) =>
      Array.from({ length: count }, (_, n) => n)
        .filter((n) => this.#of.get(from)?.[n] === undefined)
        .map((n) => `number ${n} of ${from} to ${this.#name}`),
    );
  }
}

/** One MQTT.js client, whose session goes on over every socket. */
class Device {
  name = "";
  /** @type {1 | 2} */
  qos = 1;
  received;
  #client;
  #connected = 0;

  /**
   * @param {string} url
   * @param {{ name: string, version: 4 | 5, qos: 1 | 2, most?: number, violation: Violation }} its
   */
  constructor(url, { name, version, qos, most, violation }) {
    [this.name, this.qos, this.received] = [name, qos, new Received(name, violation)];
    this.#client = mqtt.connect(url, {
      protocolVersion: version,
      clientId: name,
      clean: false,
      keepalive: 60,
      reconnectPeriod: RECONNECT_AFTER_MS,
      reconnectOnConnackError: true,
      properties: version === 5 ? { sessionExpiryInterval: 30, receiveMaximum: most } : undefined,
    });
    this.#client.on("error", () => {}); // It tries again.
    this.#client.on("connect", ({ sessionPresent }) => {
      if (this.#connected++ > 0 && !sessionPresent) violation("sessions lost", name);
    });
    this.#client.on("message", (_topic, payload) => {
      const message = JSON.parse(payload.toString());
      this.received.take(message, Math.min(message.qos, qos) === 2);
    });
  }

  get isConnected() {
    return this.#client.connected;
  }

  subscribe() {
    return within(this.#client.subscribeAsync(TOPIC, { qos: this.qos }), `${this.name}'s SUBACK`);
  }

  /**
   * Resolves when the message is acknowledged; the library repeats it until then.
   * @param {Message} message
   */
  publish(message) {
    const done = new Promise((resolve, reject) => {
      this.#client.publish(
        TOPIC,
        JSON.stringify(message),
        { qos: this.qos },
        (/** @type {import("mqtt").ErrorWithReasonCode} */ error) => {
          if (error && error.code !== ALREADY_DONE) reject(error);
          else resolve(undefined);
        },
      );
    });
    return within(done, `an end of number ${message.n} of ${this.name}`);
  }

  /** Resolves once the library has noticed. */
  async cut() {
    const closed = once(this.#client, "close");
    this.#client.stream.destroy();
    await closed;
  }

  stop() {
    this.#client.end(true);
  }
}

/** A reliable client of JSON, which publishes as well. */
class Member {
  name = "member";
  received;
  #client;
  #isStopped = false;

  /**
   * @param {string} url
   * @param {Violation} violation
   */
  constructor(url, violation) {
    this.received = new Received(this.name, violation);
    const often = { maxRetries: Number.MAX_SAFE_INTEGER, retryDelayInMs: RECONNECT_AFTER_MS };
    const options = { reconnectRetryOptions: often, messageRetryOptions: { maxRetries: 0 } };
    this.#client = new WebPubSubClient(url, options);
    this.#client.on("group-message", ({ message: { data, dataType } }) => {
      const text = dataType === "binary" ? Buffer.from(/** @type {ArrayBuffer} */ (data)).toString() : undefined;
      const message = /** @type {Message} */ (text === undefined ? data : JSON.parse(text));
      // Its own are done once for their ack ids; at QoS 1 a device's come as often as it repeats them.
      this.received.take(message, message.qos === 2 || message.from === this.name);
    });
    this.#client.on("disconnected", () => {
      if (!this.#isStopped) violation("connections lost", this.name);
    });
  }

  /** Its token has it in the group. */
  start() {
    return within(this.#client.start(), "the member's connection");
  }

  /**
   * Resolves when the message is acknowledged, which is sent again under its ack id until then.
   * @param {Message} message
   */
  async publish(message) {
    const send = () => this.#client.sendToGroup(TOPIC, message, "json", { ackId: message.n });
    await until(
      () =>
        send().then(
          () => true,
          () => pass(PAUSE_MS),
        ),
      `an end of number ${message.n} of ${this.name}`,
    );
  }

  stop() {
    this.#isStopped = true;
    this.#client.stop();
  }
}

/** A server, which sends each message until it is taken: it may come more than once. */
class Server {
  name = "server";
  #hub;

  /** @param {Hub} hub */
  constructor(hub) {
    this.#hub = hub;
  }

  /** @param {Message} message */
  async publish(message) {
    const [headers, body] = [{ "content-type": "application/json" }, JSON.stringify(message)];
    const send = () => this.#hub.rest("POST", `/groups/${TOPIC}/:send`, { headers, body });
    await until(
      () =>
        send().then(
          ({ status }) => status === 202 || pass(PAUSE_MS),
          () => pass(PAUSE_MS),
        ),
      `an end of number ${message.n} of ${this.name}`,
    );
  }
}

export class DeviceChaos {
  violations = /** @type {string[]} */ ([]);
  #service;
  #random;
  #plan;
  #subscribers = /** @type {Device[]} */ ([]);
  #publishers = /** @type {Device[]} */ ([]);
  /** @type {Member | undefined} */
  #member;
  /**
   * By publisher: how many of its messages are acknowledged, which are its first.
   * @type {Map<string, number>}
   */
  #acknowledged = new Map();
  #ended = false;

  /**
   * So many `messages` are acknowledged at least; the faults are spread over them.
   * @param {Service} service
   * @param {{ seed: number, messages: number, kills: number, cuts: number }} plan
   */
  constructor(service, { seed, messages, kills, cuts }) {
    [this.#service, this.#random] = [service, new Random(seed)];
    this.#plan = { messages, kills, cuts };
  }

  /** Resolves when everything has been published, suffered and received. */
  async run() {
    const hub = this.#service.newHub();
    const wear = () => WEAR_BYTES.least + this.#random.below(WEAR_BYTES.more);
    const link = await Link.to(this.#service, { wear });
    /** @type {Violation} */
    const violation = (kind, words) => this.violations.push(`${kind}: ${words}`);
    const make = (/** @type {string} */ role) => (/** @type {(typeof kinds)[number] & { most?: number }} */ kind) => {
      const name = `${role}${kind.version}x${kind.qos}${kind.most ? `x${kind.most}` : ""}`;
      return new Device(this.#url(link, hub, "clients/mqtt", { user: name }), { ...kind, name, violation });
    };
    this.#subscribers = [...kinds, ...narrow].map(make("subscriber"));
    this.#publishers = kinds.map(make("publisher"));
    const member = new Member(this.#url(link, hub, "client", { user: "member", groups: [TOPIC] }), violation);
    try {
      const isThere = () =>
        member.start().then(
          () => true,
          () => pass(PAUSE_MS),
        );
      await until(isThere, "the member");
      this.#member = member;
      await Promise.all(this.#subscribers.map((device) => device.subscribe()));
      const all = [...this.#publishers, member, new Server(hub)];
      const publishing = Promise.all(all.map((publisher) => this.#publish(publisher)));
      publishing.catch(() => {}); // Of a run that has failed already, what fails later says nothing.
      await Promise.race([this.#suffer(), publishing]);
      this.#ended = true;
      await publishing;
      link.wear = undefined;
      await until(
        () => this.#missing().length === 0 || pass(PAUSE_MS),
        `what was acknowledged: ${this.#missing().slice(0, 5)}`,
      );
    } finally {
      this.#ended = true;
      for (const one of [...this.#devices, member]) one.stop();
      link.close();
    }
  }

  /**
   * A client's URL over a link.
   * @param {Link} link
   * @param {Hub} hub
   * @param {string} path
   * @param {{ user: string, groups?: string[] }} client
   */
  #url(link, hub, path, client) {
    const audience = `${link.endpoint}/${path}/hubs/${hub.name}`;
    const token = sign(clientClaims({ audience, roles: ALL_ROLES, ...client }), this.#service.key);
    return `${audience.replace("http", "ws")}?access_token=${token}`;
  }

  get #devices() {
    return [...this.#subscribers, ...this.#publishers];
  }

  get #done() {
    return [...this.#acknowledged.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @param {Device | Member | Server} publisher */
  async #publish(publisher) {
    const { name } = publisher;
    const isDevice = publisher instanceof Device;
    const qos = isDevice ? publisher.qos : 1;
    for (let n = 0; !this.#ended; ) {
      // What fails is sent again behind others of its burst.
      const burst = Array.from({ length: isDevice ? 1 + this.#random.below(LARGEST_BURST) : 1 }, () => n++);
      await Promise.all(burst.map((number) => publisher.publish({ from: name, n: number, qos })));
      this.#acknowledged.set(name, n);
      await pass(PAUSE_MS);
    }
  }

  /** What was acknowledged and has not come. */
  #missing() {
    return this.#receivers.flatMap(({ received }) => received.missing(this.#acknowledged));
  }

  get #receivers() {
    return [...this.#subscribers, ...(this.#member ? [this.#member] : [])];
  }

  async #suffer() {
    const { messages, kills, cuts } = this.#plan;
    const faults = [...Array(kills).fill("kill"), ...Array(cuts).fill("cut")];
    for (let at = 0; faults.length > 0; at++) {
      const [fault] = faults.splice(this.#random.below(faults.length), 1);
      const due = ((at + 1) / (kills + cuts + 1)) * messages;
      await until(() => this.#done >= due || pass(PAUSE_MS), `message ${Math.round(due)}`);
      if (fault === "kill") await this.#kill();
      else await this.#random.pick(this.#devices).cut();
      await until(() => this.#devices.every(({ isConnected }) => isConnected) || pass(PAUSE_MS), "everybody's return");
    }
    await until(() => this.#done >= messages || pass(PAUSE_MS), `message ${messages}`);
  }

  /** The process ends as in a crash and is started again; now and then once more, while devices return. */
  async #kill() {
    for (let more = true; more; more = this.#random.below(3) === 0) {
      await this.#service.crash();
      await this.#service.start();
      await pass(this.#random.below(2 * RECONNECT_AFTER_MS));
    }
  }

  /** What came of it, a line each. */
  figures() {
    const received = this.#receivers.reduce((sum, one) => sum + one.received.count, 0);
    const repeated = this.#receivers.reduce((sum, one) => sum + one.received.repeated, 0);
    return [`acknowledged: ${this.#done}`, `received: ${received}, and ${repeated} again`];
  }
}
