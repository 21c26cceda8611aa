// A run: clients and a server publish, faults come in between, and nothing that was acknowledged may suffer from it.
import { utimesSync } from "node:fs";
import path from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import * as microsoft from "@azure/web-pubsub-client";
import * as microsoft11 from "@azure/web-pubsub-client-1.1";
import { loadOurClient } from "../support/our-client.mjs";
import { Random } from "../support/random.mjs";
import { Client, ClientPublisher, ServerPublisher } from "./clients.mjs";
import { Ledger } from "./ledger.mjs";

/** What `npm start` loads again when it changes, in its state folder. */
const ENTRY = path.join("wrangler", "worker", "entry.js");
const SUBSCRIBERS = 20;
const PUBLISHERS = 3;
const GROUPS = ["everybody", "even", "odd"];
/** An object sleeps after ten idle seconds, and clients acknowledge for one more. */
const SILENCE_MS = 12_000;
/** Clients try for 30 s. */
const BACK_LIMIT_MS = 40_000;
const STEP_MS = 20;

/**
 * @import { Hub } from "../support/hub.mjs"
 * @import { Service } from "../support/service.mjs"
 */

/**
 * @typedef {"kill" | "cut" | "silence" | "reload"} Fault
 *
 * A run: how many messages are published, and how often each fault comes between them.
 * @typedef {{ seed: number, messages: number, kills?: number, cuts?: number, silences?: number, reloads?: number }} Plan
 */

export class Chaos {
  #service;
  /** @type {Hub} */
  #hub;
  #random;
  #plan;
  #ledger = new Ledger();
  /** @type {Client[]} */
  #subscribers = [];
  /** @type {(ClientPublisher | ServerPublisher)[]} */
  #publishers = [];
  /**
   * In milliseconds: from the moment the process is back to the next message that a client receives.
   * @type {{ kill: number[], reload: number[] }}
   */
  #back = { kill: [], reload: [] };
  #done = { kill: 0, cut: 0, silence: 0, reload: 0 };
  #silent = false;
  #ended = false;

  /**
   * So many `messages` are acknowledged at least; the faults are spread over them.
   * @param {Service} service
   * @param {Plan} plan
   */
  constructor(service, { seed, messages, kills = 0, cuts = 0, silences = 0, reloads = 0 }) {
    this.#service = service;
    this.#hub = service.newHub();
    this.#random = new Random(seed);
    this.#plan = { messages, kill: kills, cut: cuts, silence: silences, reload: reloads };
  }

  /** Resolves when everything has been published, suffered and received, or at the first violation. */
  async run() {
    await this.#start();
    const publishing = this.#publishers.map((publisher) => publisher.run(() => this.#mayPublish()));
    const { kill, silence, reload, cut } = this.#plan;
    const ofTheProcess = this.#shuffled({ kill, silence, reload });
    const faults = [this.#suffer(ofTheProcess), this.#suffer(this.#shuffled({ cut }))];
    await Promise.all(faults);
    await this.#until(() => this.#ledger.acknowledged >= this.#plan.messages);
    this.#ended = true;
    if (this.isBroken) this.#stop();
    await Promise.all(publishing);
    await this.#until(() => this.#clients.every(({ account }) => account.missing().length === 0), BACK_LIMIT_MS);
    // What is missing after a run that was broken off says nothing.
    if (!this.isBroken) for (const { account } of this.#clients) account.close();
    this.#stop();
  }

  get #clients() {
    return [...this.#subscribers, ...this.#publishers.flatMap((one) => ("client" in one ? [one.client] : []))];
  }

  get isBroken() {
    return this.#ledger.violations.length > 0;
  }

  get violations() {
    return this.#ledger.violations;
  }

  async #start() {
    const packages = [await loadOurClient(), microsoft, microsoft11];
    const hub = this.#hub;
    const common = { service: this.#service, hubName: hub.name, ledger: this.#ledger };
    // Half of the subscribers are ours, and half of each kind join by themselves.
    for (let n = 0; n < SUBSCRIBERS; n++) {
      const { WebPubSubClient } = packages[[0, 1, 0, 2][n % 4]];
      const groups = ["everybody", n % 2 ? "odd" : "even"];
      const own = n % 8 < 4 ? { groups } : { joins: groups };
      this.#subscribers.push(await Client.start({ ...common, ...own, WebPubSubClient, name: `subscriber${n}` }));
    }
    const random = () => new Random(this.#random.below(1 << 30));
    const targets = GROUPS.map((group) => `/groups/${group}`);
    // Microsoft's client rejects a promise without a handler when it loses its socket in the middle of a send.
    const [{ WebPubSubClient }] = packages;
    for (let n = 0; n < PUBLISHERS; n++) {
      const client = await Client.start({ ...common, WebPubSubClient, name: `publisher${n}` });
      this.#publishers.push(new ClientPublisher({ client, ledger: this.#ledger, random: random(), targets }));
    }
    const users = this.#subscribers.map(({ name }) => `/users/${name}`);
    const all = ["", "", ...targets, this.#random.pick(users), this.#random.pick(users)];
    this.#publishers.push(new ServerPublisher({ hub, ledger: this.#ledger, random: random(), targets: all }));
  }

  #stop() {
    for (const client of this.#clients) client.stop();
  }

  async #mayPublish() {
    while (this.#silent && !this.#ended && !this.isBroken) await pass(STEP_MS);
    return !this.#ended && !this.isBroken;
  }

  /**
   * So many faults of each kind, in random order.
   * @param {Partial<Record<Fault, number>>} counts
   * @returns {Fault[]}
   */
  #shuffled(counts) {
    const left = Object.entries(counts).flatMap(([kind, count]) => Array(count).fill(kind));
    return left.map((_, at) => {
      const other = at + this.#random.below(left.length - at);
      [left[at], left[other]] = [left[other], left[at]];
      return left[at];
    });
  }

  /**
   * Lets the faults happen one after the other, spread over the messages.
   * @param {Fault[]} faults
   */
  async #suffer(faults) {
    for (const [n, kind] of faults.entries()) {
      const due = ((n + this.#random.below(100) / 100) / faults.length) * this.#plan.messages;
      await this.#until(() => this.#ledger.acknowledged >= due && !(kind === "cut" && this.#silent));
      if (this.isBroken) return;
      await this.#faults[kind]();
      this.#done[kind]++;
    }
  }

  #faults = {
    /** The process ends as in a crash and is started again; now and then once more, while clients return. */
    kill: async () => {
      await this.#crash();
      if (this.#random.below(5) === 0) {
        await pass(this.#random.below(600));
        await this.#crash();
      }
      await this.#everybodyBack(this.#back.kill);
    },
    cut: () => {
      this.#random.pick(this.#clients).cut();
    },
    silence: async () => {
      this.#silent = true;
      await pass(SILENCE_MS);
      this.#silent = false;
    },
    reload: async () => {
      const witness = await this.#hub.connectSimple();
      utimesSync(path.join(this.#service.state, ENTRY), new Date(), new Date());
      await witness.closed();
      await this.#everybodyBack(this.#back.reload);
    },
  };

  /** Clients try once a second. When in that second the process is back is random. */
  async #crash() {
    await this.#service.crash();
    await pass(this.#random.below(1_000));
    await this.#service.start();
  }

  /** @param {number[]} samples */
  async #everybodyBack(samples) {
    for (const client of this.#clients) client.expectBack(samples);
    await this.#until(() => this.#clients.every((client) => client.isBack), BACK_LIMIT_MS);
    if (this.isBroken) return;
    for (const { name, isBack } of this.#clients)
      if (!isBack) this.#ledger.violation("connections lost", `${name} did not come back`);
  }

  /**
   * Waits for something, or a violation, or the limit.
   * @param {() => unknown} ask
   */
  async #until(ask, limit = Infinity) {
    const end = performance.now() + limit;
    while (!ask() && !this.isBroken && performance.now() < end) await pass(STEP_MS);
  }

  /** Where the run is, in one line. */
  progress() {
    const { kill, cut, silence } = this.#done;
    const { published, acknowledged } = this.#ledger;
    return `${published} published, ${acknowledged} acknowledged, ${this.#delivered()} delivered, ${kill} kills, ${cut} cuts, ${silence} silences`;
  }

  #delivered() {
    return this.#clients.reduce((sum, { account }) => sum + account.received, 0);
  }

  /** What came of it, a line each. */
  figures() {
    const { published, acknowledged } = this.#ledger;
    return [
      `faults: ${Object.entries(this.#done)
        .map(([kind, count]) => `${count} ${kind}${count === 1 ? "" : "s"}`)
        .join(", ")}`,
      `published: ${published}, of which ${acknowledged} were acknowledged`,
      `delivered: ${this.#delivered()} to ${this.#clients.length} clients`,
      ...Object.entries(this.#ledger.counts()).map(([kind, count]) => `${kind}: ${count}`),
      ...Object.entries(this.#back)
        .filter(([, samples]) => samples.length > 0)
        .map(([kind, samples]) => `back after a ${kind}: ${spread(samples)}`),
    ];
  }
}

/** @param {number[]} samples */
function spread(samples) {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ part) =>
    `${(sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] / 1000).toFixed(2)} s`;
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, at most ${at(1)} (${samples.length} times)`;
}
