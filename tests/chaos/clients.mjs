// Those who take part: reliable clients of every package, and a server.
import { setTimeout as pass } from "node:timers/promises";
import { ALL_ROLES } from "../support/hub.mjs";
import { Link } from "../support/link.mjs";
import { clientClaims, sign } from "../support/token.mjs";
import { within } from "../support/waiting.mjs";
import { Account } from "./ledger.mjs";

/**
 * @import { WebPubSubClient } from "@azure/web-pubsub-client"
 * @import { Hub } from "../support/hub.mjs"
 * @import { Random } from "../support/random.mjs"
 * @import { Answer } from "../support/rest.mjs"
 * @import { Service } from "../support/service.mjs"
 * @import { Entry, Ledger } from "./ledger.mjs"
 */

/**
 * A message as an application receives it, whose data is what a publisher sent.
 * @typedef {{ data: Omit<Entry, "acknowledged">, sequenceId: number, fromUserId?: string }} DataMessage
 */

const ATTEMPT_LIMIT_MS = 60_000;
const RETRY_AFTER_MS = 100;
/** Each publisher's; all together stay well inside what a client may leave unacknowledged. */
const MESSAGES_PER_SECOND = 25;
const LARGEST_BURST = 6;

/** A reliable client over a wire of its own. Everything that its application receives goes into its account. */
export class Client {
  #client;
  #link;
  #ledger;
  #joins;
  /**
   * Since when the process is back, and where to say how long the next message took.
   * @type {{ samples: number[], since: number } | undefined}
   */
  #waiting;
  stopping = false;

  /**
   * @param {{ name: string, account: Account, ledger: Ledger, joins: string[], link: Link, client: WebPubSubClient }} its
   */
  constructor({ name, account, ledger, joins, link, client }) {
    this.name = name;
    this.account = account;
    this.#ledger = ledger;
    this.#joins = joins;
    this.#link = link;
    this.#client = client;
  }

  /**
   * `groups` come with its token, `joins` are joined by itself.
   * @param {{
   *   service: Service, hubName: string, ledger: Ledger, WebPubSubClient: typeof import("@azure/web-pubsub-client").WebPubSubClient, name: string,
   *   groups?: string[], joins?: string[],
   * }} its
   */
  static async start({ service, hubName, ledger, WebPubSubClient, name, groups = [], joins = [] }) {
    const places = ["", `/users/${name}`, ...[...groups, ...joins].map((group) => `/groups/${group}`)];
    const link = await Link.to(service);
    const audience = `${link.endpoint}/client/hubs/${hubName}`;
    const token = sign(clientClaims({ audience, user: name, roles: ALL_ROLES, groups }), service.key);
    const url = `${audience.replace("http", "ws")}?access_token=${token}`;
    const client = new WebPubSubClient(url, { autoReconnect: false, messageRetryOptions: { maxRetries: 0 } });
    const its = { name, account: new Account(ledger, name, places), ledger, joins, link, client };
    const started = new Client(its);
    await started.#start();
    return started;
  }

  async #start() {
    const client = this.#client;
    const connected = new Promise((resolve) => client.on("connected", resolve));
    client.on("group-message", ({ message }) => this.#receive(/** @type {DataMessage} */ (message)));
    client.on("server-message", ({ message }) => this.#receive(/** @type {DataMessage} */ (message)));
    client.on("disconnected", ({ message }) => {
      if (!this.stopping)
        this.#ledger.violation("connections lost", `${this.name}: ${message?.message ?? "it could not be recovered"}`);
    });
    await client.start();
    await within(connected, `${this.name}'s connection`);
    for (const group of this.#joins) await client.joinGroup(group);
  }

  /** @param {DataMessage} message */
  #receive({ data, sequenceId, fromUserId }) {
    this.account.receive(data, sequenceId);
    if (fromUserId !== undefined && fromUserId !== data.from)
      this.#ledger.violation("strange", `${data.from} published as ${fromUserId}`);
    this.#waiting?.samples.push(performance.now() - this.#waiting.since);
    this.#waiting = undefined;
  }

  /**
   * From here to the next message that it receives is a sample of how long it takes to come back.
   * @param {number[]} samples
   */
  expectBack(samples) {
    this.#waiting = { samples, since: performance.now() };
  }

  get isBack() {
    return this.#waiting === undefined;
  }

  /**
   * One publish under an ack id of its own, or an error.
   * @param {string} group
   * @param {ReturnType<Publishing["data"]>} data
   * @param {number} ackId
   */
  publish(group, data, ackId) {
    return within(
      this.#client.sendToGroup(group, data, "json", { ackId }),
      `an end of ${this.name}'s publish`,
      ATTEMPT_LIMIT_MS,
    );
  }

  cut() {
    this.#link.cut();
  }

  stop() {
    this.stopping = true;
    this.#client.stop();
    this.#link.close();
  }
}

/**
 * What a publisher publishes with: the targets are picked at random.
 * @typedef {{ ledger: Ledger, random: Random, targets: string[] }} Publisher
 */

/** Publishes bursts of random size to random targets, about as fast as asked, while it may. */
class Publishing {
  /** @param {Publisher & { name: string }} publisher */
  constructor({ ledger, random, targets, name }) {
    this.ledger = ledger;
    this.random = random;
    this.targets = targets;
    this.name = name;
  }

  /**
   * Until `mayGoOn()`, which may take its time, says no.
   * @param {() => Promise<boolean>} mayGoOn
   */
  async run(mayGoOn) {
    while (await mayGoOn()) {
      const started = performance.now();
      const count = 1 + this.random.below(LARGEST_BURST);
      const burst = Array.from({ length: count }, () => this.ledger.publish(this.name, this.random.pick(this.targets)));
      await this.publish(burst);
      await pass(Math.max(0, (count * 1000) / MESSAGES_PER_SECOND - (performance.now() - started)));
    }
  }

  /**
   * Publishes messages in its own way.
   * @param {Entry[]} burst
   * @returns {Promise<void>}
   */
  async publish(burst) {
    throw new Error(`a kind of publisher says how ${burst.length} messages are published`);
  }

  /** @param {Entry} entry */
  data({ from, n, to }) {
    // Now and then a long one.
    const more = this.random.below(10) === 0 ? "x".repeat(this.random.below(8_000)) : "";
    return { from, n, to, more };
  }
}

/** A client that publishes each message until it is acknowledged, always under the same ack id, in order. */
export class ClientPublisher extends Publishing {
  /** @param {Publisher & { client: Client }} publisher */
  constructor({ client, ...rest }) {
    super({ ...rest, name: client.name });
    this.client = client;
  }

  /** @param {Entry[]} burst */
  async publish(burst) {
    let open = burst.map((entry) => ({ entry, data: this.data(entry) }));
    while (open.length > 0) {
      const results = await Promise.allSettled(
        open.map(({ entry, data }) => this.client.publish(entry.to.replace("/groups/", ""), data, entry.n + 1)),
      );
      open = open.filter(({ entry }, at) => {
        const result = results[at];
        if (result.status === "fulfilled") {
          this.ledger.acknowledge(entry);
          return false;
        }
        const { errorDetail } = result.reason;
        if (errorDetail) this.ledger.violation("refused", `${this.name}: ${JSON.stringify(errorDetail)}`);
        return !errorDetail;
      });
      if (this.client.stopping) return;
      if (open.length > 0) await pass(RETRY_AFTER_MS);
    }
  }
}

/** A server that publishes one message after the other; whether one without an answer arrived is unknown. */
export class ServerPublisher extends Publishing {
  /** @param {Publisher & { hub: Hub }} publisher */
  constructor({ hub, ...rest }) {
    super({ ...rest, name: "server" });
    this.hub = hub;
  }

  /** @param {Entry[]} burst */
  async publish(burst) {
    for (const entry of burst) {
      const options = { headers: { "content-type": "application/json" }, body: JSON.stringify(this.data(entry)) };
      const answer = await this.hub.rest("POST", `${entry.to}/:send`, options).catch((error) => error);
      if (answer.status === 202) this.ledger.acknowledge(entry);
      else if (answer.status !== undefined && !isReloading(answer))
        this.ledger.violation("refused", `the server: ${answer.status} ${answer.body}`);
      else await pass(RETRY_AFTER_MS);
    }
  }
}

/**
 * What wrangler says for a worker that it has just replaced.
 * @param {Answer} answer
 */
const isReloading = ({ status, body }) => status === 503 && body.startsWith("Your worker restarted mid-request.");
