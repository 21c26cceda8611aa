// `trace`: what a hub does, as it happens.
import { setTimeout as pass } from "node:timers/promises";
import WebSocket from "ws";
import { requestToken } from "../../../../scripts/access.mjs";
import { addressFlags, whole } from "../../../../scripts/options.mjs";
import { say } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { NOT_ALLOWED, NOT_THERE } from "../exit-codes.mjs";
import { hubPath } from "../hubs.mjs";
import { clock, jsonFlag, sayJson, visible } from "../output.mjs";
import { Service, notReached, refusal } from "../service.mjs";

/** @import { Flags, Operands, ValuesOf } from "../../../../scripts/command.mjs" */

const MOST = 1_000_000;
const AGAIN_AFTER_MS = 1_000;
const PING_EVERY_MS = 30_000;

/** @satisfies {Flags} */
const flags = {
  follow: { type: "boolean", about: "Goes on until Ctrl-C, which it does anyway unless --count ends it." },
  connection: { type: "string", value: "ID", about: "Only what concerns this connection." },
  user: { type: "string", value: "USER", about: "Only what concerns this user." },
  group: { type: "string", value: "GROUP", about: "Only what concerns this group." },
  payloads: { type: "boolean", about: "Shows the beginning of each message, too." },
  count: { type: "string", value: "N", about: "Ends after so many." },
  ...jsonFlag,
  ...addressFlags,
};

export const trace = {
  name: typed("trace"),
  summary: "Prints what a hub does, as it happens.",
  about:
    "Prints what a hub does, as it happens, until Ctrl-C: connections, messages, REST calls and calls to event handlers.\nUnder load some are left out, and it says how many. With --json each is a line of JSON.",
  rest: "HUB",
  flags,
  examples: [
    [typed("trace chat", "--follow"), "everything"],
    [typed("trace chat", "--user ann --payloads"), "what concerns a user, with messages"],
    [typed("trace chat", "--json | jq 'select(.kind == \"disconnected\")'"), "for a program"],
  ],

  /** @param {ValuesOf<typeof flags> & Operands} values */
  async run(values) {
    const [hub] = values.rest;
    const most = values.count === undefined ? Infinity : whole("--count", values.count, 1, MOST);
    const path = `/management${hubPath(hub)}/trace`;
    const asked = { connectionId: values.connection, userId: values.user, group: values.group };
    const query = Object.entries({ ...asked, payloads: values.payloads ? "1" : undefined }).flatMap(([name, value]) =>
      value ? [[name, value]] : [],
    );
    await new Watch(new Service(values), path, query, print(values.json, most)).untilStopped();
  },
};

/**
 * One thing that happened: when in milliseconds, what, and what concerns it.
 * @typedef {{
 *   time: number, kind: string, data?: { data: string, isCut?: boolean } | null, [member: string]: unknown,
 * }} TraceRecord
 *
 * Prints records, and how many were left out before them; returns whether there were enough.
 * @typedef {(records: TraceRecord[], omitted: number) => boolean} Print
 */

/**
 * Makes what prints records, at most so many.
 * @param {boolean | undefined} json
 * @param {number} most
 * @returns {Print}
 */
function print(json, most) {
  let printed = 0;
  return (records, omitted) => {
    for (const record of records) {
      if (printed >= most) break;
      printed++;
      if (json) sayJson(record);
      else say(visible(line(record)));
    }
    if (omitted > 0) process.stderr.write(`${omitted} more were left out.\n`);
    return printed >= most;
  };
}

/** @param {TraceRecord} record */
function line({ time, kind, data, ...members }) {
  const shown = Object.entries(members).filter(([, value]) => value !== null && value !== undefined);
  const payload = data === undefined || data === null ? "" : `  ${data.data}${data.isCut ? "…" : ""}`;
  return `${clock(time)}  ${kind.padEnd(12)}  ${shown.map(([name, value]) => `${name}=${value}`).join(" ")}${payload}`;
}

/** A socket for each shard of a hub, and another one where one is lost. */
class Watch {
  #service;
  #path;
  #query;
  #print;
  /** @type {Map<number, WebSocket>} */
  #sockets = new Map();
  /** @type {PromiseWithResolvers<void>} */
  #stopped = Promise.withResolvers();
  #isStopped = false;

  /**
   * @param {Service} service
   * @param {string} path
   * @param {string[][]} query
   * @param {Print} print
   */
  constructor(service, path, query, print) {
    this.#service = service;
    this.#path = path;
    this.#query = query;
    this.#print = print;
  }

  async untilStopped() {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => this.#stop());
    const pings = setInterval(() => this.#ping(), PING_EVERY_MS);
    try {
      await this.#open(0).catch((error) => {
        this.#isStopped = true;
        throw error;
      });
      process.stderr.write(`Watching ${this.#service.url}.\n`);
      await this.#stopped.promise;
    } finally {
      clearInterval(pings);
    }
  }

  /** @param {Error} [error] */
  #stop(error) {
    this.#isStopped = true;
    for (const socket of this.#sockets.values()) socket.close();
    if (error) this.#stopped.reject(error);
    else this.#stopped.resolve();
  }

  #ping() {
    for (const socket of this.#sockets.values())
      if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
  }

  /**
   * Resolves once the shard is watched.
   * @param {number} shard
   * @returns {Promise<void>}
   */
  #open(shard) {
    const { url } = this.#service;
    const token = requestToken({ path: this.#path, minutes: 5 }, this.#service);
    const search = new URLSearchParams([["shard", String(shard)], ...this.#query]);
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}${this.#path}?${search}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    this.#sockets.set(shard, socket);
    return new Promise((resolve, reject) => {
      socket.on("unexpected-response", async (_, answer) =>
        reject(refusal(answer.statusCode ?? 0, (await answer.setEncoding("utf8").toArray()).join(""), url)),
      );
      socket.on("error", (error) => reject(notReached(url, error)));
      socket.on("message", (text) => {
        const message = JSON.parse(String(text));
        if (message.type === "watching") {
          resolve();
          this.#grow(message.shards);
        }
        if (message.type === "records" && !this.#isStopped && this.#print(message.records, message.omitted))
          this.#stop();
      });
      socket.on("close", () => this.#again(shard));
    });
  }

  /**
   * Watches the shards that are not watched yet.
   * @param {number} shards
   */
  #grow(shards) {
    for (let shard = 0; shard < shards; shard++) if (!this.#sockets.has(shard)) this.#open(shard).catch(() => {});
  }

  /**
   * Watches a shard again a moment after its socket was lost; ends where the service refuses.
   * @param {number} shard
   */
  async #again(shard) {
    if (this.#isStopped) return;
    await pass(AGAIN_AFTER_MS);
    if (this.#isStopped) return;
    await this.#open(shard).catch((error) => {
      if (error.exitCode === NOT_ALLOWED || error.exitCode === NOT_THERE) this.#stop(error);
    });
  }
}
