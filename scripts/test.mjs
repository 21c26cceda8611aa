// `npm test`: everything, or with `--only` or `--quick` a part of it.
//
// A step that fails does not hide the others. The end says what each took, of those that failed what and why, and the last
// line is the sum over all of them.
import { performance } from "node:perf_hooks";
import { parse } from "./command.mjs";
import { exitOnSignals } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { Problem, UsageProblem, duration, main, quoted, say, step } from "./terminal.mjs";
import { countTests, outcome } from "./test/count.mjs";
import { describeFailure } from "./test/failures.mjs";
import { namedFiles } from "./test/files.mjs";
import { steps } from "./test/steps.mjs";

/** @import { Part, Step } from "./test/steps.mjs" */

/** A part of a run that took less is not worth a line at its end. */
const WORTH_A_LINE_MS = 1_000;

const names = [...new Set(steps.flatMap(({ name, group }) => (group ? [name, group] : [name])))];

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm test",
  about: "Sets up what is missing, then tests everything, or a part of it. Ends with `N passed, N failed`.",
  flags: {
    only: { type: "string", value: "STEP", about: `One step, or several with commas between: ${names.join(", ")}.` },
    quick: { type: "boolean", about: "Only what needs neither workerd nor a browser." },
    host: {
      type: "string",
      value: "HOST",
      about: "End-to-end tests on workerd, or on native: the native server. (workerd)",
    },
    name: {
      type: "string",
      value: "PATTERN",
      about: "With files: only the tests whose names match this regular expression.",
    },
  },
  rest: "[FILE…]",
  examples: [
    ["npm test", "everything"],
    ["npm test -- --only lint,native", "formatting, lints and native tests"],
    ["npm run test:quick", "formatting, lints, native tests and documents"],
    ["npm run e2e", "all end-to-end tests"],
    ["npm run e2e -- tests/e2e/clients/groups.test.mjs", "one file of them, or a folder"],
    [
      'npm run e2e -- tests/e2e/rest/send.test.mjs --name "body of 1 MiB"',
      "one test of it, with only the set-up that it needs",
    ],
  ],
};

exitOnSignals();
await main(async () => {
  const { chosen, files, pattern, whole, host } = choose(process.argv.slice(2));
  const needs = chosen.flatMap(({ needs }) => (typeof needs === "function" ? needs(files) : [needs]));
  const started = performance.now();
  for (const purpose of new Set(needs)) await setUp(purpose);
  const times = [{ title: "Set-up", ms: performance.now() - started }];

  /** @type {{ one: Step, error: Parameters<typeof describeFailure>[0] }[]} */
  const failures = [];
  const sum = { passed: 0, failed: 0 };
  for (const one of chosen) {
    const begun = performance.now();
    const { error, passed, failed } = await attempt(one, { files, pattern, whole, host });
    times.push({ title: one.title, ms: performance.now() - begun });
    sum.passed += passed;
    sum.failed += failed;
    if (error) failures.push({ one, error });
  }
  if (chosen.length > 1) sayTimes(times);
  if (failures.length > 0) {
    say("\nFailed:");
    const narrowed = [
      ...(host === "native" ? ["--host", host] : []),
      ...files,
      ...(pattern === undefined ? [] : ["--name", pattern]),
    ]
      .map((arg) => ` ${quoted(arg)}`)
      .join("");
    for (const { one, error } of failures) {
      const [first, ...more] = describeFailure(error);
      say([`  ${one.title}: ${first}`, ...more.map((line) => `    ${line}`)].join("\n"));
      say(`    again: npm test -- --only ${one.name}${narrowed}`);
    }
  }
  say(`\n${sum.passed} passed, ${sum.failed} failed`);
  process.exitCode = sum.failed > 0 ? 1 : 0;
});

/**
 * Says what each part of the run took, and all of them.
 * @param {{ title: string, ms: number }[]} times
 */
function sayTimes(times) {
  say("\nTook:");
  for (const { title, ms } of times.filter(({ ms }) => ms >= WORTH_A_LINE_MS)) say(`  ${title}: ${duration(ms)}`);
  say(`  together: ${duration(times.reduce((sum, { ms }) => sum + ms, 0))}`);
}

/**
 * The steps to do, by name or group, what one of them is narrowed to, and whether that is everything.
 * @param {string[]} args
 * @returns {{ chosen: Step[] } & Part}
 */
function choose(args) {
  const usage = `npm test takes [--only ${names.join("|")}] (several with commas) or --quick, and e2e test files after --only e2e.`;
  const { only: given, quick, name: pattern, host = "workerd", rest } = parse(args, command);
  if (!["workerd", "native"].includes(host)) throw new UsageProblem(`--host must be workerd or native, not "${host}".`);
  const files = namedFiles(rest);
  const only = given?.split(",");
  const unknown = only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) throw new UsageProblem(`There is no step ${unknown.join(", ")}. ${usage}`);
  const isNamed = (/** @type {Step} */ { name, group = name }) => !only || only.includes(name) || only.includes(group);
  const named = steps.filter((one) => isNamed(one) && (!quick || one.quick) && (one.applies?.() ?? true));
  if (files.length === 0) {
    if (pattern !== undefined)
      throw new UsageProblem("--name needs the file that the test is in, such as tests/e2e/rest/send.test.mjs.");
    return { chosen: named, files, host, whole: !only && !quick };
  }
  const chosen = named.filter(({ takesFiles }) => takesFiles);
  if (chosen.length !== 1 || !only?.includes(chosen[0].name)) throw new UsageProblem(usage);
  return { chosen, files, pattern, host, whole: false };
}

/**
 * Does a step, and says what came of it.
 * @param {Step} one
 * @param {Part} part
 */
async function attempt(one, part) {
  const started = performance.now();
  try {
    /** @type {unknown} */
    let output;
    if (one.tests || one.talks) {
      say(`\n${one.title}`);
      output = await one.work(part);
      say(`${one.title}: ${duration(performance.now() - started)}`);
    } else {
      output = await step(one.title, () => one.work(part));
    }
    const counted = one.tests ? countTests(String(output)) : undefined;
    if (counted && counted.passed + counted.failed === 0) throw new Problem("No test ran.");
    return { error: undefined, ...outcome(true, counted) };
  } catch (error) {
    const known = error instanceof Error ? error : new Error(String(error));
    const output = error instanceof Problem ? error.output : undefined;
    say(error instanceof Problem ? error.message : known.stack);
    return { error: known, ...outcome(false, one.tests && output ? countTests(output) : undefined) };
  }
}
