// `deliveries`: what became of the events that a hub's handlers were sent.
import { setTimeout as pass } from "node:timers/promises";
import { addressFlags, whole } from "../../../../scripts/options.mjs";
import { say } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { hubPath, settingsOf } from "../hubs.mjs";
import { clock, jsonFlag, sayJson, visible } from "../output.mjs";
import { Service } from "../service.mjs";

/** @import { Flags, Operands, ValuesOf } from "../../../../scripts/command.mjs" */

/** How many the service keeps. */
const KEPT = 200;
const ASK_EVERY_MS = 1_000;

/** @satisfies {Flags} */
const flags = {
  follow: { type: "boolean", about: "Goes on with those that come, until Ctrl-C." },
  failed: { type: "boolean", about: "Only those that failed." },
  last: { type: "string", default: "20", value: "N", about: "How many of those that are there." },
  ...jsonFlag,
  ...addressFlags,
};

export const deliveries = {
  name: typed("deliveries"),
  summary: "Prints what became of the events of a hub.",
  about:
    "Prints the last attempts at delivering events of a hub to its event handlers, the newest last: when, event, attempt,\nstatus and duration, and what was wrong. With --json each is a line of JSON.",
  rest: "HUB",
  flags,
  examples: [
    [typed("deliveries chat"), "the last 20 of the hub chat"],
    [typed("deliveries chat", "--follow --failed"), "those that fail, as they come"],
  ],

  /** @param {ValuesOf<typeof flags> & Operands} values */
  async run(values) {
    const [hub] = values.rest;
    const last = whole("--last", values.last, 0, KEPT);
    const service = new Service(values);
    await settingsOf(service, hub);
    /** @returns {Promise<Delivery[]>} */
    const ask = async () => (await service.manage("GET", `${hubPath(hub)}/deliveries`)).deliveries.reverse();
    const wanted = (/** @type {Delivery[]} */ all) => (values.failed ? all.filter(({ error }) => error !== null) : all);
    let seen = await ask();
    const there = wanted(seen);
    for (const one of there.slice(Math.max(there.length - last, 0))) print(one, values.json);
    while (values.follow) {
      await pass(ASK_EVERY_MS);
      const all = await ask();
      for (const one of wanted(unseen(all, seen))) print(one, values.json);
      seen = all;
    }
  },
};

/**
 * What became of one attempt at delivering an event.
 * @typedef {{
 *   time: number, event: string, connectionId: string | null, attempt: number, url: string, status: number | null,
 *   durationMs: number, error: string | null, message: string | null,
 * }} Delivery
 */

/**
 * Those of `all` that are not among `seen`: each may be there several times.
 * @template One
 * @param {One[]} all
 * @param {One[]} seen
 */
function unseen(all, seen) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const text of seen.map((one) => JSON.stringify(one))) counts.set(text, (counts.get(text) ?? 0) + 1);
  return all.filter((one) => {
    const text = JSON.stringify(one);
    const left = counts.get(text) ?? 0;
    counts.set(text, left - 1);
    return left <= 0;
  });
}

/**
 * @param {Delivery} delivery
 * @param {boolean | undefined} json
 */
function print(delivery, json) {
  if (json) return sayJson(delivery);
  const { time, event, connectionId, attempt, url, status, durationMs, error, message } = delivery;
  const outcome = error === null ? `${status}` : `${error}${status === null ? "" : ` ${status}`}`;
  const line = `${clock(time)}  ${event}  ${outcome}  ${durationMs} ms  attempt ${attempt}  ${connectionId ?? "-"}  ${url}`;
  say(visible(message === null ? line : `${line}\n              ${message}`));
}
