// The bench's own arithmetic, the turns that it takes, and what it says.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { YARDSTICK, contenders } from "../../bench/contenders.mjs";
import { reached, targets } from "../../bench/reach.mjs";
import { lines, markdown, repeatable, short } from "../../bench/report.mjs";
import { runAll } from "../../bench/runner.mjs";
import { median, ratio, summary } from "../../bench/statistics.mjs";
import { workloads } from "../../bench/workloads.mjs";
import { at } from "../../scripts/paths.mjs";
import { Problem } from "../../scripts/terminal.mjs";
import { matched, present } from "../support/found.mjs";
import { until } from "../support/waiting.mjs";

const bench = (...args) => spawnSync(process.execPath, [at("scripts", "bench.mjs"), ...args], { encoding: "utf8" });
const names = (all) => all.map(({ name }) => name);

test("a median is the middle, or the mean of the two in the middle", () => {
  assert.equal(median([3, 100, 1]), 3);
  assert.equal(median([10, 9, 1, 2]), 5.5);
  assert.equal(median([]), undefined);
});

test("a summary has the least and the most beside the median", () => {
  assert.deepEqual(summary([5, 1, 3]), { median: 3, min: 1, max: 5 });
  assert.equal(summary([]), undefined);
});

test("a ratio is the median of the ratios of each run", () => {
  // The machine was slow in the second run, for both.
  assert.equal(ratio([2, 20, 6], [1, 10, 2]), 2);
  assert.equal(ratio([2, undefined, 6], [1, 10, undefined]), 2);
  assert.equal(ratio([1], [0]), undefined);
  assert.equal(ratio([], [1]), undefined);
});

test("numbers have the three digits that matter", () => {
  assert.deepEqual([0, 0.1234, 12.345, 123.45, 12345].map(short), ["0", "0.123", "12.3", "123", "12,345"]);
});

test("no two contenders or workloads share a name", () => {
  for (const all of [contenders({ baseline: "before" }), workloads]) assert.equal(new Set(names(all)).size, all.length);
});

test("every target names contenders, a workload and a figure", () => {
  const known = names(contenders({ baseline: "before" }));
  for (const { workload, key, own, other = own } of targets) {
    assert.ok(known.includes(own) && known.includes(other), `${own}, ${other}`);
    assert.ok(
      workloads.find(({ name }) => name === workload)?.figures.some((figure) => figure.key === key),
      `${workload}: ${key}`,
    );
  }
});

test("a target holds, is missed, or was not measured", () => {
  const rates = (rate) => [{ publishes_per_second: rate }];
  const row = (results) =>
    present(
      reached(results).find(({ what }) => what.startsWith("messages a second over one socket")),
      "the row",
    );
  assert.equal(row({ "one-socket": { bare: rates(100), json: rates(95) } }).holds, true);
  const missed = row({ "one-socket": { bare: rates(100), json: rates(94) } });
  assert.deepEqual([missed.target, missed.measured, missed.holds], ["≥ 0.95 ×", "0.94 ×", false]);
  assert.equal(
    row({ "one-socket": { bare: rates(1000), json: rates(946) } }).holds,
    true,
    "what is printed, 0.95 ×, is what is judged",
  );
  assert.deepEqual([row({}).measured, row({}).holds], ["–", undefined]);
});

test("a small ratio has a digit more, a figure its unit", () => {
  const row = (results, starts) =>
    present(
      reached(results).find(({ what }) => what.startsWith(starts)),
      starts,
    );
  const cpu = (cpu_us_per_publish) => [{ cpu_us_per_publish }];
  const publish = (native) =>
    row({ "rest-1": { native: cpu(native), json: cpu(1000) } }, "CPU a REST publish (rest-1)");
  assert.deepEqual([publish(50.4).target, publish(50.4).measured, publish(50.4).holds], ["≤ 0.05 ×", "0.050 ×", true]);
  assert.equal(publish(51).holds, false);
  const idle = (each) =>
    row({ idle: { native: [{ memory_kb_per_connection: each }] } }, "PSS an idle connection beyond");
  assert.deepEqual([idle(2.996).target, idle(2.996).measured, idle(2.996).holds], ["≤ 3 KB", "3 KB", true]);
  assert.equal(idle(3.01).holds, false);
  assert.equal(row({}, "PSS an idle connection beyond").holds, undefined);
});

test("a flood's neighbours are to be quick, relatively and at all", () => {
  const row = (quiet, flooded) => {
    const figures = { same_hub_quiet_p99_ms: quiet, same_hub_flooded_p99_ms: flooded };
    return present(
      reached({ "flood-joins": { json: [figures] } }).find(
        ({ what }) => what === "p99 of this hub beside flood-joins: json",
      ),
      "the row",
    );
  };
  assert.equal(row(10, 50).holds, true);
  assert.equal(row(10, 51).holds, false);
  assert.equal(row(100, 251).holds, false);
  assert.equal(row(100, 251).measured, "2.5 ×, 251 ms");
});

/** @typedef {{ name: string, stop(): Promise<void> }} Noting */

/**
 * Contenders that note what happens to them.
 * @param {string[]} journal
 * @returns {{ name: string, start(): Promise<Noting> }[]}
 */
function noting(journal) {
  return ["a", "b"].map((name) => ({
    name,
    async start() {
      journal.push(`start ${name}`);
      const stop = async () => {
        journal.push(`stop ${name}`);
      };
      return { name, stop };
    },
  }));
}
/** @param {string[]} journal */
const measuring =
  (journal) =>
  async (/** @type {Noting} */ { name }, /** @type {string} */ plan) => {
    journal.push(`${name} ${plan}`);
    if (plan === "fails") throw new Problem("no");
    return { figure: 1 };
  };
/**
 * One that every contender does, unless `plan` says otherwise.
 * @param {string} name
 * @param {string} scene
 * @param {(contender: Noting) => string | undefined} plan
 */
const workload = (name, scene, plan = () => name) => ({ name, scene, plan, figures: [] });

test("contenders take turns, one at a time, in every scene", async () => {
  const journal = [];
  const its = [workload("w1", "s1"), workload("w2", "s2"), workload("w3", "s1")];
  const { results, failures } = await runAll({
    contenders: noting(journal),
    workloads: its,
    runs: 2,
    measure: measuring(journal),
  });
  const turn = (name, ...done) => [`start ${name}`, ...done.map((one) => `${name} ${one}`), `stop ${name}`];
  const scene = (...done) => [
    ...turn("a", ...done),
    ...turn("b", ...done),
    ...turn("a", ...done),
    ...turn("b", ...done),
  ];
  assert.deepEqual(journal, [...scene("w1", "w3"), ...scene("w2")]);
  assert.deepEqual(results.w3, { a: [{ figure: 1 }, { figure: 1 }], b: [{ figure: 1 }, { figure: 1 }] });
  assert.deepEqual(failures, []);
});

test("a workload that fails is said, and the contender is ended", async () => {
  const journal = [];
  const its = [workload("w1", "s", () => "fails"), workload("w2", "s")];
  const { results, failures } = await runAll({
    contenders: noting(journal).slice(0, 1),
    workloads: its,
    runs: 1,
    measure: measuring(journal),
  });
  assert.deepEqual(journal, ["start a", "a fails", "a w2", "stop a"]);
  assert.deepEqual(failures, [{ workload: "w1", contender: "a", run: 0, message: "no" }]);
  assert.deepEqual(results, { w1: { a: [undefined] }, w2: { a: [{ figure: 1 }] } });
});

test("a workload of some contenders is left to those", async () => {
  const journal = [];
  const its = [
    { ...workload("w1", "s1"), of: ["b"] },
    { ...workload("w2", "s1"), of: ["b"] },
  ];
  await runAll({ contenders: noting(journal), workloads: its, runs: 1, measure: measuring(journal) });
  assert.deepEqual(journal, ["start b", "b w1", "b w2", "stop b"]);
});

test("a workload that a contender cannot do is left out", async () => {
  const { results, failures } = await runAll({
    contenders: noting([]),
    workloads: [workload("w", "s", ({ name }) => (name === "a" ? name : undefined))],
    runs: 1,
    measure: measuring([]),
  });
  assert.deepEqual([results, failures], [{ w: { a: [{ figure: 1 }] } }, []]);
});

/** What was measured of two contenders. */
const measured = {
  results: {
    "one-socket": {
      bare: [
        { publishes_per_second: 100, lost: 0 },
        { publishes_per_second: 300, lost: 0 },
      ],
      json: [
        { publishes_per_second: 50, lost: 0 },
        { publishes_per_second: 300, lost: 2 },
      ],
    },
  },
  contenders: [
    { name: YARDSTICK, title: "bare" },
    { name: "json", title: "ours" },
    { name: "nothing", title: "cannot" },
  ],
  workloads: [
    {
      name: "one-socket",
      title: "messages",
      figures: [
        { key: "publishes_per_second", title: "publishes/s" },
        { key: "lost", title: "lost", isCount: true },
      ],
    },
  ],
  absent: [{ name: "nchan", title: "nchan on nginx" }],
  failures: [{ workload: "one-socket", contender: "json", run: 0, message: "it broke" }],
};

test("a terminal gets medians, extremes, ratios, what is missing", () => {
  const text = lines(measured).join("\n");
  assert.match(text, /^ +publishes\/s +lost$/m);
  assert.match(text, /^ {2}bare +200 \(100–300\) +0$/m);
  assert.match(text, /^ {2}json +175 \(50\.0–300\) 0\.75 × +2$/m);
  assert.match(text, /^ {2}nothing +– +–$/m);
  assert.match(text, /^ {2}messages a second over one socket.* 0\.75 × +no$/m);
  assert.match(text, /^nchan \(nchan on nginx\) is not on this machine\.$/m);
  assert.match(text, /^one-socket, json, run 1: it broke$/m);
});

test("the command in the results names no folder", () => {
  assert.equal(repeatable("npm run bench", {}), "npm run bench");
  const values = { quick: true, runs: "7", baseline: "/somewhere", output: "elsewhere.md" };
  assert.equal(repeatable("npm run bench", values), "npm run bench -- --quick --runs 7 --baseline DIR");
});

test("RESULTS.md has machine, versions, command and every table", () => {
  const machine = { cpu: "A Processor", cores: 2, memory: "24 GB", system: "linux x64" };
  const text = markdown({
    ...measured,
    command: "npm run bench",
    date: "2026-01-02",
    runs: 2,
    machine,
    versions: [["workerd", "1.2.3"]],
  });
  for (const line of [
    "Written by `npm run bench` on 2026-01-02; the same command repeats it. Each contender was alone on the machine with the load generator, in turns, 2 times.",
    "| processor | A Processor, 2 cores |",
    "| workerd | 1.2.3 |",
    "| nchan | nchan on nginx: not on this machine |",
    "| messages a second over one socket (one-socket): json beside bare | ≥ 0.95 × | 0.75 × | **no** |",
    "## one-socket",
    "| json | 175 (50.0–300) 0.75 × | 2 |",
    "- one-socket, json, run 1: it broke",
  ]) {
    assert.ok(text.split("\n").includes(line), `${line}\n\n${text}`);
  }
});

/** A program that starts a contender as the bench does, says where it is, and does what `then` says. */
const STARTER = (then) => `
import { Server } from ${JSON.stringify(at("bench", "contenders", "server.mjs"))};
import { exitOnSignals, start } from ${JSON.stringify(at("scripts", "processes.mjs"))};
import { main } from ${JSON.stringify(at("scripts", "terminal.mjs"))};

class Answering extends Server {
  launch() {
    return start(process.execPath, ["-e", \`require("node:http").createServer((_, response) => response.end()).listen(\${this.port}, "127.0.0.1")\`]);
  }
}
exitOnSignals();
await main(async () => {
  const { pid, folder } = await new Answering().start();
  console.log(JSON.stringify({ pid, folder }));
  ${then}
});
process.exit();
`;

for (const [how, then, signal] of /** @type {[string, string, NodeJS.Signals?][]} */ ([
  ["Ctrl-C", "await new Promise((resolve) => setTimeout(resolve, 60_000));", "SIGINT"],
  ["an error", 'throw new Error("a bug");'],
])) {
  test(`${how} ends what the bench has started, and its folder`, async () => {
    const starter = spawn(process.execPath, ["--input-type=module", "--eval", STARTER(then)], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = once(starter, "exit");
    const [line] = await once(starter.stdout.setEncoding("utf8"), "data");
    const { pid, folder } = JSON.parse(line);
    if (signal) starter.kill(signal);
    await ended;
    assert.ok(!existsSync(folder));
    await until(() => !isRunning(pid), "the contender's end");
  });
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("the bench describes itself and lists what there is", () => {
  assert.match(bench("--help").stdout, /^npm run bench -- \[options\]$/m);
  const { status, stdout } = bench("--list");
  assert.equal(status, 0);
  for (const name of [...names(contenders()), ...names(workloads)])
    assert.match(stdout, new RegExp(`^  ${name.replace(".", "\\.")} `, "m"));
});

test("a name that is none ends the bench before anything is set up", () => {
  const { status, stderr } = bench("--workloads", "one-soket");
  assert.equal(status, 2);
  assert.match(stderr, /^There is no workload one-soket\. Did you mean one-socket\? There are one-socket, /);
  assert.match(bench("--contenders", "azure").stderr, /^There is no contender azure\. There are bare, json, /);
  assert.match(
    bench("--baseline", "tests").stderr,
    /^--baseline: tests is no checkout of this project that is built: it has no scripts\/service\/workerd\.mjs\./,
  );
  assert.match(bench("--native", "--quick").stderr, /^--native goes with --workloads alone, not with --quick\./);
  assert.match(bench("--host", "edge").stderr, /^--host must be native, not "edge"\./);
  assert.match(bench("--host", "native", "--quick").stderr, /^--host goes with .* alone, not with --quick\./);
  assert.match(
    bench("--host", "native", "--workloads", "joins").stderr,
    /^--workloads: for the host native there are /,
  );
  assert.match(bench("--runs", "0").stderr, /^--runs must be a whole number from 1 to 1000, not "0"\./);
});

test("README's ratios are those of the last results", () => {
  const [readme, results] = ["README.md", "bench/RESULTS.md"].map((file) => readFileSync(at(file), "utf8"));
  const [, section] = matched(/^## How fast it is\n([^]*?)^## /m, readme);
  const measured = matched(/^## What is to be reached\n([^]*?)^## /m, results)[1].split("\n");
  for (const [title, what] of [
    ["CPU of a delivery", "CPU a delivery (rest-1000): json beside bare"],
    ["CPU of a delivery", "CPU a delivery (rest-100): json beside bare"],
    ["publishes a second", "REST publishes a second (rest-1): json beside bare"],
    ["connects a second", "connects a second (connects): json beside bare"],
    ["memory of", "PSS an idle connection (crowd): json beside bare"],
  ]) {
    const line = present(
      measured.find((row) => row.startsWith(`| ${what} |`)),
      what,
    );
    const [, , ratio] = matched(/\|([^|]*)\| ([\d.]+ ×) \|/, line);
    const row = section.split("\n").find((line) => line.startsWith(`| ${title}`));
    assert.ok(row?.includes(ratio), `README.md: ${row} lacks ${ratio} of ${what}`);
  }
});
