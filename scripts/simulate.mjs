// `npm run simulate`: ten thousand hubs with everything that can go wrong, or any one of them again.
//
// A run depends on its seed and its length only: `--seed`, `--seeds` and `--steps` have any of them again.
// Of a single seed that fails, everything that happened is printed.
import { performance } from "node:perf_hooks";
import { parse } from "./command.mjs";
import { whole } from "./options.mjs";
import { root } from "./paths.mjs";
import { exitOnSignals, run } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { UsageProblem, main, say, step } from "./terminal.mjs";
import { nativeEnv } from "./toolchain.mjs";

/** @import { Progress } from "./terminal.mjs" */

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run simulate",
  about:
    "Simulates hubs with crashes, cuts, lost batches and jumps of the clock, and says how to have a failure again.",
  flags: {
    seed: { type: "string", default: "0", value: "N", about: "The first seed." },
    seeds: { type: "string", default: "10000", value: "N", about: "How many seeds." },
    steps: { type: "string", default: "1000", value: "N", about: "How many steps each." },
    disk: {
      type: "string",
      default: "memory",
      value: "KIND",
      about: "What the shards write to: memory, or sqlite for the store's tables as well.",
    },
    bug: { type: "string", value: "NAME", about: "Plants a bug, to see it caught." },
  },
  examples: [
    ["npm run simulate", "ten thousand hubs, a thousand steps each"],
    ["npm run simulate -- --seed 42 --seeds 1", "one of them again, with everything that happens"],
  ],
};

/**
 * @param {string} action
 * @param {string[]} [args]
 * @param {Parameters<typeof run>[2]} [options]
 */
const cargo = (action, args = [], options = {}) =>
  run(
    "cargo",
    [action, "--locked", "--quiet", "--profile", "fuzz", "-p", "webpubsub-testkit", "--bin", "simulate", ...args],
    { cwd: root, env: nativeEnv(), ...options },
  );
/**
 * @param {(string | number)[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
const simulate = (args, options) => cargo("run", ["--", ...args.map(String)], options);

exitOnSignals();
await main(async () => {
  const values = parse(process.argv.slice(2), command);
  /**
   * @param {"seed" | "seeds" | "steps"} flag
   * @param {number} least
   * @param {number} [most]
   */
  const number = (flag, least, most = Number.MAX_SAFE_INTEGER) => whole(`--${flag}`, values[flag], least, most);
  const [seed, seeds, steps] = [number("seed", 0), number("seeds", 1), number("steps", 1, 2 ** 32 - 1)];
  if (!["memory", "sqlite"].includes(values.disk)) {
    throw new UsageProblem(`There is no disk ${values.disk}. ${command.name} takes --disk memory|sqlite.`);
  }
  await setUp("simulate");
  await step("Build", () => cargo("build"));
  const bugs = (await simulate([])).trim().split("\n");
  if (values.bug !== undefined && !bugs.includes(values.bug)) {
    throw new UsageProblem(`There is no bug ${values.bug}. ${command.name} takes --bug ${bugs.join("|")}.`);
  }

  const started = performance.now();
  /** @param {string} text */
  const last = (text) => text.trimEnd().split("\n").at(-1) ?? "";
  const args = [seed, seeds, steps, values.disk, ...(values.bug === undefined ? [] : [values.bug])];
  /** @param {Progress} at */
  const search = (at) =>
    simulate(args, { onOutput: (text) => at(last(text)), echo: seeds === 1, failure: command.name });
  const summary = last(await step(`Seeds ${seed} to ${seed + seeds - 1}, ${steps} steps each`, search));
  const minutes = (performance.now() - started) / 60_000;
  say(`    ${summary}`);
  say(`\nAll of them kept every promise: ${Math.round(seeds / minutes)} seeds a minute.`);
});
