// Which tests passed: a line of JSON for each, written by a run and read when COMPATIBILITY.md is checked.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build, root } from "../paths.mjs";

const folder = join(build, "test-results");
/** @param {string} step */
const fileOf = (step) => join(folder, `${step}.jsonl`);

/**
 * Where a step records, with nothing in it yet.
 * @param {string} step
 */
export function newRecord(step) {
  rmSync(fileOf(step), { force: true });
  mkdirSync(folder, { recursive: true });
  return fileOf(step);
}

/**
 * A test that passed: its name, and where it is known its file and the suites around it.
 * @typedef {{ file?: string, suites?: string[], name: string }} Passed
 */

/**
 * Every test that passed in these steps.
 * @param {string[]} steps
 * @returns {Passed[]}
 */
export function recorded(steps) {
  const files = steps.map(fileOf).filter((file) => existsSync(file));
  return files.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  );
}

/**
 * Records what cargo printed: it names a test by its module, and not its file.
 * @param {string} step
 * @param {string} output
 */
export function recordCargo(step, output) {
  const names = [...output.matchAll(/^test (?:\S+::)?(\w+)(?: - should panic)? \.\.\. ok$/gm)].map(([, name]) => name);
  writeFileSync(newRecord(step), names.map((name) => `${JSON.stringify({ name })}\n`).join(""));
}

/** @import { TestEvent } from "node:test/reporters" */

/**
 * The reporter of node:test that records.
 * @param {AsyncIterable<TestEvent> | Iterable<TestEvent>} events
 */
export default async function* report(events) {
  /** @type {string[]} */
  const suites = [];
  for await (const { type, data } of events) {
    if (type === "test:start") suites.splice(data.nesting, Infinity, data.name);
    if (type !== "test:pass" || data.details.type === "suite" || data.skip !== undefined || data.todo !== undefined)
      continue;
    const passed = { file: relative(root, data.file ?? ""), suites: suites.slice(0, data.nesting), name: data.name };
    yield `${JSON.stringify(passed)}\n`;
  }
}
