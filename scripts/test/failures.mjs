// What failed, in few words each: `npm test` says it again at its end, for whoever sees only that.
import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { inspect } from "node:util";
import { build, root } from "../paths.mjs";
import { readIfThere } from "../processes.mjs";

/** How many failures of a step are described, how many lines each may have, and how long a line may be. */
const MOST = 20;
const MOST_LINES = 14;
const LINE_LENGTH = 240;

/**
 * A test that failed: its name after those of the suites around it, where it is, and why.
 * @typedef {{ name: string, at?: string, why: string[] }} Failure
 */

/** @typedef {import("node:test/reporters").TestEvent} TestEvent */

const folder = join(build, "test-failures");
let runs = 0;

/** Where a run of node:test notes its failures. */
export function newFailures() {
  mkdirSync(folder, { recursive: true });
  return join(folder, `${process.pid}-${++runs}.jsonl`);
}

/**
 * What a run has noted, those that others have cancelled behind them; nothing where it ended before it could.
 * @param {string} file
 * @returns {Failure[]}
 */
export function readFailures(file) {
  const noted = readIfThere(file).split("\n").filter(Boolean);
  const failures = noted.map((line) => JSON.parse(line));
  return failures.sort((one, other) => Number(one.isCancelled) - Number(other.isCancelled));
}

/**
 * The reporter of node:test that notes failures. A suite that fails for its tests is none.
 * @param {AsyncIterable<TestEvent>} events
 */
export default async function* report(events) {
  /** @type {string[]} */
  const names = [];
  for await (const { type, data } of events) {
    if (type === "test:start") names.splice(data.nesting, Infinity, data.name);
    if (type !== "test:fail" || data.todo !== undefined) continue;
    const { error } = data.details;
    const failureType = "failureType" in error ? error.failureType : undefined;
    if (failureType === "subtestsFailed") continue;
    const failure = {
      name: [...names.slice(0, data.nesting), data.name].join(" > "),
      at: data.file && `${relative(root, data.file)}:${data.line}`,
      why: wordsOf(error.cause ?? error),
      isCancelled: failureType === "cancelledByParent",
    };
    yield `${JSON.stringify(failure)}\n`;
  }
}

/**
 * An error in lines: its message, what was compared where the message does not show it, and places in the project.
 * @param {unknown} error
 */
function wordsOf(error) {
  if (!(error instanceof Error)) return [String(error)];
  const {
    name,
    message,
    stack = "",
    code,
    expected,
    actual,
  } = /** @type {Error & { code?: string, expected?: unknown, actual?: unknown }} */ (error);
  const words = `${name}: ${message}`.split("\n").filter((line) => line.trim() !== "");
  // A text of the test's own is in place of the difference, in some versions of Node.
  const isHidden = code === "ERR_ASSERTION" && words.length === 1 && (expected !== undefined || actual !== undefined);
  const compared = isHidden ? [`expected: ${inLine(expected)}`, `actual: ${inLine(actual)}`] : [];
  return [...words, ...compared, ...placesIn(stack).map((place) => `at ${place}`)];
}

/** @param {unknown} value */
const inLine = (value) => inspect(value, { depth: 3, breakLength: Infinity });

/**
 * The first two places of a stack that are in the project.
 * @param {string} stack
 */
function placesIn(stack) {
  const places = [...stack.matchAll(/^ +at .*?(?:file:\/\/)?(\/[^\s()]+:\d+:\d+)\)?$/gm)].map(([, place]) => place);
  const own = places.filter((place) => place.startsWith(root) && !place.includes("/node_modules/"));
  return own.slice(0, 2).map((place) => relative(root, place));
}

/**
 * The tests that failed by what cargo printed: a block of output for each.
 * @param {string} output
 * @returns {Failure[]}
 */
function failuresInCargo(output) {
  const text = output.replace(/\x1b\[[0-9;]*m/g, "");
  const blocks = [
    ...text.matchAll(/^---- (.+?)(?: stdout| output)? ----\n([\s\S]*?)(?=^---- |^failures:$|(?![\s\S]))/gm),
  ];
  return blocks.map(([, name, printed]) => {
    const lines = printed.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("note: run with"));
    const panic = lines.findIndex((line) => line.includes("panicked at"));
    return { name, why: lines.slice(Math.max(panic, 0)) };
  });
}

/**
 * What failed in a step, in lines: the tests that did, or its message where there are none.
 * @param {{ message: string, failed?: Failure[], output?: string }} error
 */
export function describeFailure({ message, failed, output = "" }) {
  const failures = failed?.length ? failed : failuresInCargo(output);
  const [first, ...more] = message.split("\n");
  if (failures.length === 0) return [first, ...shortened(more)];
  const described = failures
    .slice(0, MOST)
    .flatMap(({ name, at, why }) => [`✖ ${name}${at ? ` (${at})` : ""}`, ...shortened(why)]);
  const left = failures.length - MOST;
  return [first, ...described, ...(left > 0 ? [`… and ${left} more`] : [])];
}

/**
 * Lines of a description, as many as there may be and no longer than they may be; of many the first and the last.
 * @param {string[]} lines
 */
function shortened(lines) {
  const kept = lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES - 3), "…", ...lines.slice(-2)] : lines;
  return kept.map((line) => `  ${line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH)}…` : line}`);
}
