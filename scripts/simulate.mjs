// `npm run simulate`: ten thousand hubs with everything that can go wrong, or any one of them again.
//
// A run depends on its seed and its length only: `--seed`, `--seeds` and `--steps` have any of them again.
// Of a single seed that fails, everything that happened is printed.
import { performance } from "node:perf_hooks";
import { parse, whole } from "./options.mjs";
import { root } from "./paths.mjs";
import { exitOnSignals, run } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { UsageProblem, main, say, step } from "./terminal.mjs";
import { nativeEnv } from "./toolchain.mjs";

const COMMAND = "npm run simulate";

const flags = {
  seed: { type: "string", default: "0" },
  seeds: { type: "string", default: "10000" },
  steps: { type: "string", default: "1000" },
  bug: { type: "string" },
};

const cargo = (action, args = [], options = {}) =>
  run("cargo", [action, "--locked", "--quiet", "--profile", "fuzz", "-p", "webpubsub-testkit", "--bin", "simulate", ...args], { cwd: root, env: nativeEnv(), ...options });
const simulate = (args, options) => cargo("run", ["--", ...args.map(String)], options);

exitOnSignals();
await main(async () => {
  const values = parse(process.argv.slice(2), flags, COMMAND);
  const number = (flag, least, most = Number.MAX_SAFE_INTEGER) => whole(`--${flag}`, values[flag], least, most);
  const [seed, seeds, steps] = [number("seed", 0), number("seeds", 1), number("steps", 1, 2 ** 32 - 1)];
  await setUp("simulate");
  await step("Build", () => cargo("build"));
  const bugs = (await simulate([])).trim().split("\n");
  if (values.bug !== undefined && !bugs.includes(values.bug)) {
    throw new UsageProblem(`There is no bug ${values.bug}. ${COMMAND} takes --bug ${bugs.join("|")}.`);
  }

  const started = performance.now();
  const last = (text) => text.trimEnd().split("\n").at(-1);
  const args = [seed, seeds, steps, ...(values.bug === undefined ? [] : [values.bug])];
  const search = (at) => simulate(args, { onOutput: (text) => at(last(text)), echo: seeds === 1, failure: COMMAND });
  const summary = last(await step(`Seeds ${seed} to ${seed + seeds - 1}, ${steps} steps each`, search));
  const minutes = (performance.now() - started) / 60_000;
  say(`    ${summary}`);
  say(`\nAll of them kept every promise: ${Math.round(seeds / minutes)} seeds a minute.`);
});
