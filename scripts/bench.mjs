// `npm run bench`: the service and its peers, measured in one run, as ratios to a bare Durable Object.
import { existsSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { YARDSTICK, contenders as allContenders } from "../bench/contenders.mjs";
import { clientPlatforms, clientTable, measureClients } from "../bench/client/run.mjs";
import { machine, versions } from "../bench/machine.mjs";
import { ofHost } from "../bench/reach.mjs";
import { lines, markdown, repeatable } from "../bench/report.mjs";
import { buildGenerator } from "../bench/generator.mjs";
import { generate, runAll } from "../bench/runner.mjs";
import { workloads as allWorkloads } from "../bench/workloads.mjs";
import { build } from "./build.mjs";
import { parse } from "./command.mjs";
import { nearest } from "./nearest.mjs";
import { whole } from "./options.mjs";
import { at, root } from "./paths.mjs";
import { exitOnSignals, run } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { Problem, UsageProblem, duration, main, say, step } from "./terminal.mjs";
import { nativeEnv } from "./toolchain.mjs";

/**
 * @import { Contender } from "../bench/contenders.mjs"
 * @import { ValuesOf } from "./command.mjs"
 */

/** @typedef {ValuesOf<typeof command.flags>} Values */

const RESULTS = at("bench", "RESULTS.md");

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run bench",
  about:
    "Measures the service and its peers on this machine, one at a time and in turns: medians, and ratios to a bare\nDurable Object. Writes bench/RESULTS.md, unless some are chosen by name.",
  flags: {
    quick: {
      type: "boolean",
      about:
        "Fewer contenders and workloads, smaller crowds and floods, and 3 runs: within 5 minutes; all of it takes up to 40.",
    },
    runs: {
      type: "string",
      value: "N",
      about: "How often each workload is measured for each contender. (5, or 3 with --quick)",
    },
    contenders: {
      type: "string",
      value: "NAMES",
      about: `Only these, with commas between; ${YARDSTICK} always comes along.`,
    },
    workloads: { type: "string", value: "NAMES", about: "Only these, with commas between." },
    baseline: {
      type: "string",
      value: "DIR",
      about:
        "Another checkout of this project, built, to measure beside this one: json-before, reliable-before, protobuf-before.",
    },
    output: { type: "string", value: "FILE", about: "Where to write the results in place of bench/RESULTS.md." },
    host: {
      type: "string",
      value: "NAME",
      about:
        "Only what this host of the service is to reach beside its peers, 2 s each: native, within 10 minutes. --workloads narrows it.",
    },
    native: {
      type: "boolean",
      about: "The benchmarks of the Rust crates alone, with criterion; --workloads narrows them.",
    },
    client: {
      type: "boolean",
      about:
        "The browser client beside Microsoft's: the time that each takes over a message. --workloads narrows it to node or chromium.",
    },
    list: { type: "boolean", about: "Prints which contenders and workloads there are." },
  },
  examples: [
    ["npm run bench", "everything"],
    ["npm run bench -- --quick", "the workloads that say most"],
    [
      "npm run bench -- --contenders json,reliable --workloads rest-1,one-socket --runs 7",
      "two workloads of two contenders",
    ],
    ["npm run bench -- --workloads joins --baseline ../before", "before and after a change"],
    ["npm run bench -- --host native", "what the native server is to reach"],
    ["npm run bench -- --native", "the cores without a runtime"],
    ["npm run bench -- --client", "the client's dispatch beside that of Microsoft's"],
  ],
};

exitOnSignals();
await main(async () => {
  const values = parse(process.argv.slice(2), command);
  const { quick = false, native = false } = values;
  const baseline = values.baseline === undefined ? undefined : builtCheckout(values.baseline);
  const known = allContenders({ baseline });
  if (values.list) return list(known);
  if (native) return benchNatively(values);
  const runs = whole("--runs", values.runs ?? (quick ? "3" : "5"), 1, 1_000);
  if (values.client) return benchClient(values, runs);
  const { wanted, workloads } =
    values.host === undefined ? chosen(known, values) : chosenOfHost(known, { ...values, host: values.host });

  await setUp("bench");
  await build();
  const generator = await buildGenerator();
  /** @type {Contender[]} */
  const contenders = [];
  /** @type {Contender[]} */
  const absent = [];
  for (const contender of wanted) ((await contender.isPresent()) ? contenders : absent).push(contender);
  const started = performance.now();
  const { results, failures } = await runAll({
    contenders,
    workloads,
    runs,
    quick,
    long: values.host !== undefined,
    measure: (...what) => generate(generator, ...what),
  });
  const measured = { results, failures, contenders, absent, workloads };
  say();
  lines(measured).forEach((line) => say(line));
  const file = resultsFile(values);
  if (file) {
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(
      file,
      markdown({
        ...measured,
        command: repeatable(command.name, values),
        date,
        runs,
        quick,
        machine: machine(),
        versions: versions(contenders),
      }),
    );
    say(`Written: ${relative(process.cwd(), file)}`);
  }
  say(
    `${runs} ${runs === 1 ? "run" : "runs"} of ${workloads.length} workloads for ${contenders.length} contenders took ${duration(performance.now() - started)}.`,
  );
  if (failures.length > 0) throw new Problem("Not everything could be measured.");
});
process.exit();

/**
 * The folder of another checkout, which has to be built.
 * @param {string} folder
 */
function builtCheckout(folder) {
  const path = resolve(folder);
  for (const file of ["scripts/service/workerd.mjs", "build/worker/index.js"]) {
    if (!existsSync(join(path, file)))
      throw new UsageProblem(
        `--baseline: ${folder} is no checkout of this project that is built: it has no ${file}. Run "npm run build" there.`,
      );
  }
  return path;
}

/**
 * Where the results go: a file that was named, else `RESULTS.md` unless only some were chosen.
 * @param {Values} values
 */
function resultsFile({ output, host, contenders, workloads }) {
  if (output !== undefined) return resolve(output);
  return [host, contenders, workloads].every((choice) => choice === undefined) ? RESULTS : undefined;
}

/**
 * Who is measured at what, by name or all.
 * @param {Contender[]} known
 * @param {Values} values
 */
function chosen(known, { quick = false, contenders, workloads }) {
  return {
    wanted: choose("contender", known, contenders, { quick, always: YARDSTICK }),
    workloads: choose("workload", allWorkloads, workloads, { quick }),
  };
}

/**
 * What a host is to reach: its workloads, each `of` those contenders that it is compared with in that.
 * @param {Contender[]} known
 * @param {Values & { host: string }} values
 */
function chosenOfHost(known, { host, workloads: names, ...others }) {
  for (const other of /** @type {const} */ (["contenders", "baseline", "quick", "client", "native"]))
    if (others[other] !== undefined)
      throw new UsageProblem(`--host goes with --workloads, --runs and --output alone, not with --${other}.`);
  if (!Object.hasOwn(ofHost, host))
    throw new UsageProblem(`--host must be ${Object.keys(ofHost).join(" or ")}, not "${host}".`);
  const compared = Map.groupBy(ofHost[host], ({ workload }) => workload);
  const workloads = choose("workload", allWorkloads, names, { quick: false })
    .filter(({ name }) => compared.has(name))
    .map((workload) => {
      const of = new Set(compared.get(workload.name)?.flatMap(({ own, other }) => (other ? [own, other] : [own])));
      return { ...workload, of: [...of] };
    });
  if (workloads.length === 0)
    throw new UsageProblem(`--workloads: for the host ${host} there are ${[...compared.keys()].join(", ")}.`);
  const wanted = known.filter(({ name }) => workloads.some(({ of }) => of.includes(name)));
  return { wanted: wanted.map((one) => ({ ...one, scenes: undefined })), workloads };
}

/**
 * Those that are named, in their own order, or all that belong to such a run. The one that `always` names takes part in
 * any case.
 * @param {string} kind
 * @template {{ name: string, isQuick?: boolean }} One
 * @param {One[]} all
 * @param {string | undefined} names
 * @param {{ quick: boolean, always?: string }} options
 */
function choose(kind, all, names, { quick, always }) {
  if (names === undefined) return all.filter(({ isQuick = true }) => isQuick || !quick);
  const wanted = names.split(",");
  for (const name of wanted) {
    if (all.some((one) => one.name === name)) continue;
    const meant = nearest(
      name,
      all.map((one) => one.name),
    );
    throw new UsageProblem(
      `There is no ${kind} ${name}.${meant ? ` Did you mean ${meant}?` : ""} There are ${all.map((one) => one.name).join(", ")}.`,
    );
  }
  // Who is named takes part in every scene.
  return all
    .filter(({ name }) => wanted.includes(name) || name === always)
    .map((one) => ({ ...one, scenes: undefined, ...(kind === "workload" && one) }));
}

/** @param {Contender[]} contenders */
function list(contenders) {
  for (const [heading, all] of Object.entries({ Contenders: contenders, Workloads: allWorkloads })) {
    say(`${heading}:`);
    const width = Math.max(...all.map(({ name }) => name.length));
    for (const { name, title } of all) say(`  ${name.padEnd(width)}  ${title}`);
  }
}

/**
 * @param {string[]} args
 * @param {Parameters<typeof run>[2]} options
 */
function cargo(args, options) {
  return run("cargo", args, { cwd: root, env: nativeEnv(), ...options });
}

/** @param {Values} values */
async function benchNatively({ native, workloads, ...others }) {
  const [other] = Object.keys(others);
  if (other) throw new UsageProblem(`--native goes with --workloads alone, not with --${other}.`);
  await setUp("native");
  const filter = workloads === undefined ? [] : ["--", workloads];
  await cargo(["bench", "--locked", "-p", "webpubsub-bench", ...filter], { echo: true, failure: "cargo bench" });
}

/**
 * @param {Values} values
 * @param {number} runs
 */
async function benchClient({ client, runs: _, workloads, ...others }, runs) {
  const [other] = Object.keys(others);
  if (other) throw new UsageProblem(`--client goes with --runs and --workloads alone, not with --${other}.`);
  const platforms = choose("platform", clientPlatforms, workloads, { quick: false });
  await setUp("build");
  await setUp("browser");
  await build();
  const rows = await step("Clients", (where) => measureClients({ platforms, runs, where }));
  say();
  for (const line of clientTable(rows)) say(line);
}
