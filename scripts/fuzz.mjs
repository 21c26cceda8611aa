// `npm run fuzz`: a million mutants of known inputs for each decoder, or for some of them.
//
// A mutant depends on the seed and its number only: `--seed`, `--from` and `--count` have any of them again.
import { parse } from "./command.mjs";
import { whole } from "./options.mjs";
import { root } from "./paths.mjs";
import { exitOnSignals, run } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { Problem, UsageProblem, main, say, step } from "./terminal.mjs";
import { nativeEnv } from "./toolchain.mjs";

/** @import { Progress } from "./terminal.mjs" */

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run fuzz",
  about:
    "Gives mutants of known inputs to everything that reads what others send, and says how to have a failure again.",
  flags: {
    only: {
      type: "string",
      value: "DECODER",
      about: "One decoder, or several with commas between; all if it is left out.",
    },
    seed: { type: "string", default: "1", value: "N", about: "What the mutants are made from." },
    from: { type: "string", default: "0", value: "N", about: "The number of the first mutant." },
    count: { type: "string", default: "1000000", value: "N", about: "How many mutants each decoder is given." },
  },
  examples: [
    ["npm run fuzz", "a million mutants for each decoder"],
    ["npm run fuzz -- --only filter --seed 3 --from 1200 --count 1", "one of them again"],
  ],
};

/**
 * @param {string} action
 * @param {string[]} [args]
 * @param {Parameters<typeof run>[2]} [options]
 */
const cargo = (action, args = [], options = {}) =>
  run("cargo", [action, "--locked", "--quiet", "--profile", "fuzz", "-p", "webpubsub-fuzz", ...args], {
    cwd: root,
    env: nativeEnv(),
    ...options,
  });
/**
 * @param {(string | number)[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
const fuzz = (args, options) => cargo("run", ["--", ...args.map(String)], options);

exitOnSignals();
await main(async () => {
  const values = parse(process.argv.slice(2), command);
  /**
   * @param {"seed" | "from" | "count"} flag
   * @param {number} least
   */
  const number = (flag, least) => whole(`--${flag}`, values[flag], least, Number.MAX_SAFE_INTEGER);
  const [seed, from, count] = [number("seed", 0), number("from", 0), number("count", 1)];
  await setUp("fuzz");
  await step("Build", () => cargo("build"));
  const names = choose((await fuzz([])).trim().split("\n"), values.only);

  say(`Mutants ${from} to ${from + count - 1} of seed ${seed}:`);
  const failures = [];
  for (const name of names) {
    try {
      const summary = await step(name, (at) => search([name, seed, from, count], at));
      say(`    ${summary}`);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      say(error.message);
      failures.push(name);
    }
  }
  say(`\n${names.length - failures.length} of ${names.length} decoders stood all of them.`);
  if (failures.length > 0) throw new Problem(`Failed: ${failures.join(", ")}`);
});

/**
 * The decoders named, several with commas, or all.
 * @param {string[]} names
 * @param {string | undefined} only
 */
function choose(names, only) {
  const chosen = only?.split(",") ?? names;
  const unknown = chosen.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new UsageProblem(
      `There is no decoder ${unknown.join(", ")}. ${command.name} takes --only ${names.join("|")} (several with commas).`,
    );
  return chosen;
}

/**
 * Runs one search; the last line that it prints is what came of it.
 * @param {(string | number)[]} args
 * @param {Progress} at
 */
async function search(args, at) {
  /** @param {string} text */
  const last = (text) => text.trimEnd().split("\n").at(-1) ?? "";
  return last(await fuzz(args, { onOutput: (text) => at(last(text)), failure: command.name }));
}
