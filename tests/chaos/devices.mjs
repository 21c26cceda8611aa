// A run with devices: MQTT.js publishes and subscribes at QoS 1 and 2 while the process is killed and connections are cut.
import { once } from "node:events";
import { setTimeout as pass } from "node:timers/promises";
import mqtt from "mqtt";
import { ALL_ROLES } from "../support/hub.mjs";
import { Random } from "../support/random.mjs";
import { until, within } from "../support/waiting.mjs";

const TOPIC = "room";
const VERSIONS = /** @type {const} */ ([4, 5]);
const QOS = /** @type {const} */ ([1, 2]);
const RECONNECT_AFTER_MS = 200;
const LARGEST_BURST = 6;
const PAUSE_MS = 40;
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

/** One MQTT.js client, whose session goes on over every socket. */
class Device {
  name = "";
  /** @type {1 | 2} */
  qos = 1;
  /**
   * By publisher: how often each of its messages has come.
   * @type {Map<string, number[]>}
   */
  received = new Map();
  repeated = 0;
  #client;
  #violation;
  #connected = 0;

  /**
   * @param {Hub} hub
   * @param {{ name: string, version: 4 | 5, qos: 1 | 2, violation: Violation }} its
   */
  constructor(hub, { name, version, qos, violation }) {
    [this.name, this.qos, this.#violation] = [name, qos, violation];
    this.#client = mqtt.connect(hub.mqttUrl({ user: name, roles: ALL_ROLES }), {
      protocolVersion: version,
      clientId: name,
      clean: false,
      keepalive: 60,
      reconnectPeriod: RECONNECT_AFTER_MS,
      reconnectOnConnackError: true,
      properties: version === 5 ? { sessionExpiryInterval: 30 } : undefined,
    });
    this.#client.on("error", () => {}); // It tries again.
    this.#client.on("connect", ({ sessionPresent }) => {
      if (this.#connected++ > 0 && !sessionPresent) violation("sessions lost", name);
    });
    this.#client.on("message", (_topic, payload) => this.#receive(JSON.parse(payload.toString())));
  }

  get isConnected() {
    return this.#client.connected;
  }

  subscribe() {
    return within(this.#client.subscribeAsync(TOPIC, { qos: this.qos }), `${this.name}'s SUBACK`);
  }

  /** @param {Message} message */
  #receive({ from, n, qos }) {
    const times = this.received.get(from) ?? [];
    this.received.set(from, times);
    const what = `${this.name} received number ${n} of ${from}`;
    if (times[n] === undefined && n < times.length - 1)
      this.#violation("reordered", `${what} after ${times.length - 1}`);
    times[n] = (times[n] ?? 0) + 1;
    if (times[n] === 1) return;
    this.repeated++;
    if (Math.min(qos, this.qos) === 2) this.#violation("doubled", `${what} ${times[n]} times`);
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

export class DeviceChaos {
  violations = /** @type {string[]} */ ([]);
  #service;
  #random;
  #plan;
  #subscribers = /** @type {Device[]} */ ([]);
  #publishers = /** @type {Device[]} */ ([]);
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
    /** @type {Violation} */
    const violation = (kind, words) => this.violations.push(`${kind}: ${words}`);
    const make = (/** @type {string} */ role) =>
      kinds.map((kind) => new Device(hub, { ...kind, name: `${role}${kind.version}x${kind.qos}`, violation }));
    [this.#subscribers, this.#publishers] = [make("subscriber"), make("publisher")];
    try {
      await Promise.all(this.#subscribers.map((device) => device.subscribe()));
      const publishing = Promise.all(this.#publishers.map((device) => this.#publish(device)));
      publishing.catch(() => {}); // Of a run that has failed already, what fails later says nothing.
      await Promise.race([this.#suffer(), publishing]);
      this.#ended = true;
      await publishing;
      await until(
        () => this.#missing().length === 0 || pass(PAUSE_MS),
        `what was acknowledged: ${this.#missing().slice(0, 5)}`,
      );
    } finally {
      this.#ended = true;
      for (const device of this.#devices) device.stop();
    }
  }

  get #devices() {
    return [...this.#subscribers, ...this.#publishers];
  }

  get #done() {
    return [...this.#acknowledged.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @param {Device} device */
  async #publish(device) {
    const { name, qos } = device;
    for (let n = 0; !this.#ended; ) {
      const burst = Array.from({ length: 1 + this.#random.below(LARGEST_BURST) }, () => n++);
      await Promise.all(burst.map((number) => device.publish({ from: name, n: number, qos })));
      this.#acknowledged.set(name, n);
      await pass(PAUSE_MS);
    }
  }

  /** What was acknowledged and has not come. */
  #missing() {
    return this.#subscribers.flatMap(({ name, received }) =>
      [...this.#acknowledged].flatMap(([from, count]) =>
        Array.from({ length: count }, (_, n) => n)
          .filter((n) => received.get(from)?.[n] === undefined)
          .map((n) => `number ${n} of ${from} to ${name}`),
      ),
    );
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
    const received = this.#subscribers.flatMap((device) => [...device.received.values()].flat()).length;
    const repeated = this.#subscribers.reduce((sum, device) => sum + device.repeated, 0);
    return [`acknowledged: ${this.#done}`, `received: ${received}, and ${repeated} again`];
  }
}
