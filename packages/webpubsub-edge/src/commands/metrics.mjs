// `metrics`: what the shards of all hubs count.
import { addressFlags } from "../../../../scripts/options.mjs";
import { say } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { jsonFlag, sayJson, sayTable } from "../output.mjs";
import { Service } from "../service.mjs";

/** @import { Flags, ValuesOf } from "../../../../scripts/command.mjs" */

/** @satisfies {Flags} */
const flags = {
  hub: { type: "string", value: "HUB", about: "Only those of this hub." },
  prometheus: { type: "boolean", about: "Prints them in Prometheus' text format, for each shard." },
  ...jsonFlag,
  ...addressFlags,
};

export const metrics = {
  name: typed("metrics"),
  summary: "Prints the metrics of all hubs.",
  about:
    "Prints the metrics of all hubs, each the sum over its shards; docs/operations.md says what they mean. Asking wakes hubs\nthat sleep.",
  flags,
  examples: [
    [typed("metrics"), "a table"],
    [typed("metrics", "--hub chat --json"), "those of the hub chat, as JSON"],
  ],

  /** @param {ValuesOf<typeof flags>} values */
  async run(values) {
    const text = await new Service(values).manage("GET", "/metrics");
    if (values.prometheus) return process.stdout.write(text);
    const hub = values.hub?.toLowerCase();
    const sums = sumOf(text).filter((row) => hub === undefined || row.hub === hub);
    if (values.json) sayJson(sums);
    else if (sums.length === 0) say("No hub is used.");
    else sayTable([["hub", "metric", "value"], ...sums.map(({ hub, metric, value }) => [hub, metric, value])]);
  },
};

/**
 * The metrics in Prometheus' text, each summed over the shards of its hub.
 * @param {string} text
 */
function sumOf(text) {
  /** @type {Map<string, { hub: string, metric: string, value: number }>} */
  const sums = new Map();
  for (const [, metric, hub, value] of text.matchAll(/^(\w+)\{hub="([^"]*)",shard="\d+"\} (\S+)$/gm)) {
    const row = sums.get(`${hub} ${metric}`) ?? { hub, metric, value: 0 };
    row.value += Number(value);
    sums.set(`${hub} ${metric}`, row);
  }
  return [...sums.values()].sort((a, b) => (a.hub < b.hub ? -1 : a.hub > b.hub ? 1 : 0));
}
