// `npm run bench`: the service and its peers, measured in one run, as ratios to a bare Durable Object.
import { contenders as allContenders } from "../bench/contenders.mjs";
import { figureLines, failureLines } from "../bench/report.mjs";
import { runAll } from "../bench/runner.mjs";
import { workloads as allWorkloads } from "../bench/workloads.mjs";
import { build } from "./build.mjs";
import { parse } from "./command.mjs";
import { nearest } from "./nearest.mjs";
import { whole } from "./options.mjs";
import { root } from "./paths.mjs";
import { exitOnSignals, run } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { Problem, UsageProblem, duration, main, say, step } from "./terminal.mjs";
import { nativeEnv } from "./toolchain.mjs";

const command = {
  name: "npm run bench",
  about: "Measures the service and its peers on this machine, one at a time and in turns, and prints medians and ratios to a bare Durable Object.",
  flags: {
    quick: { type: "boolean", about: "Three runs of the workloads that say most, within five minutes." },
    runs: { type: "string", value: "N", about: "How often each workload is measured for each contender. (5, or 3 with --quick)" },
    contenders: { type: "string", value: "NAMES", about: "Only these, with commas between; the bare object always comes along." },
    workloads: { type: "string", value: "NAMES", about: "Only these, with commas between." },
    baseline: { type: "string", value: "DIR", about: "Another checkout of this project, built, whose service is measured beside this one's." },
    list: { type: "boolean", about: "Says which contenders and workloads there are, and ends." },
  },
  examples: [
    ["npm run bench", "everything, within 40 minutes"],
    ["npm run bench -- --quick", "less of it, within five"],
    ["npm run bench -- --contenders json,reliable --workloads rest-1,one-socket", "two workloads of two contenders"],
    ["npm run bench -- --workloads joins --baseline ../before", "before and after a change"],
  ],
};

exitOnSignals();
await main(async () => {
  const values = parse(process.argv.slice(2), command);
  const { quick = false } = values;
  const runs = whole("--runs", values.runs ?? (quick ? "3" : "5"), 1, 1_000);
  const known = await allContenders({ baseline: values.baseline });
  if (values.list) return list(known);
  const contenders = choose("contender", known, values.contenders, { quick, always: "bare" });
  const workloads = choose("workload", allWorkloads, values.workloads, { quick });

  await setUp("bench");
  await build();
  const generator = await buildGenerator();
  const started = performance.now();
  const { results, failures } = await runAll({ contenders, workloads, runs, quick, generator });
  say();
  for (const line of figureLines({ results, contenders, workloads })) say(line);
  for (const line of failureLines(failures)) say(line);
  say(`\n${runs} ${runs === 1 ? "run" : "runs"} of ${workloads.length} workloads with ${contenders.length} contenders took ${duration(performance.now() - started)}.`);
  if (failures.length > 0) throw new Problem("Not everything could be measured.");
});
process.exit();

/** The named ones, or all that belong to such a run, in their own order. */
function choose(kind, all, names, { quick, always }) {
  if (names === undefined) return all.filter(({ isQuick = true }) => isQuick || !quick);
  const wanted = names.split(",");
  for (const name of wanted) {
    if (all.some((one) => one.name === name)) continue;
    const meant = nearest(name, all.map((one) => one.name));
    throw new UsageProblem(`There is no ${kind} ${name}.${meant ? ` Did you mean ${meant}?` : ""} There are ${all.map((one) => one.name).join(", ")}.`);
  }
  return all.filter(({ name }) => wanted.includes(name) || name === always);
}

function list(contenders) {
  for (const [title, all] of [["Contenders", contenders], ["Workloads", allWorkloads]]) {
    say(`${title}:`);
    const width = Math.max(...all.map(({ name }) => name.length));
    for (const { name, title } of all) say(`  ${name.padEnd(width)}  ${title}`);
  }
}

/** Builds the load generator; the path of the program. */
async function buildGenerator() {
  const args = ["build", "--locked", "--profile", "load", "-p", "webpubsub-load", "--message-format", "json-render-diagnostics"];
  const output = await step("Load generator", () => run("cargo", args, { cwd: root, env: nativeEnv() }));
  const built = output.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return built.find(({ executable }) => executable).executable;
}
