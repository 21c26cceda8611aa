// Whether the tests that a row names are there, and whether they passed.
import { existsSync, readFileSync } from "node:fs";
import { filesUnder } from "../build/inputs.mjs";
import { at } from "../paths.mjs";

/** With how many shards the end-to-end tests run. Where hubs grow is for each suite to say. */
const SHARDS = ["1 shard", "4 shards"];

/**
 * @import { Row, ShownBy } from "../../tests/compatibility/row.mjs"
 * @import { Passed } from "../test/record.mjs"
 */

/** @type {Map<string, string>} */
const texts = new Map();

/** @param {string} file */
function textOf(file) {
  const text = texts.get(file) ?? (existsSync(at(file)) ? readFileSync(at(file), "utf8") : "");
  texts.set(file, text);
  return text;
}

/** @type {Set<string> | undefined} */
let vectors;

/** @param {string} name */
function isVector(name) {
  vectors ??= new Set(
    filesUnder(at("tests", "vectors")).flatMap((file) =>
      JSON.parse(readFileSync(file, "utf8")).vectors.map((/** @type {{ name: string }} */ vector) => vector.name),
    ),
  );
  return vectors.has(name);
}

/** @param {ShownBy} test */
const sayTest = ({ file, name }) => `${file}: ${name}`;

/**
 * What is wrong with a row's names as they stand in the files: a test, or a case in its table or among the vectors.
 * @param {Row} row
 */
export function notThere({ feature, tests }) {
  return tests.flatMap((test) => {
    const text = textOf(test.file);
    const there = test.file.endsWith(".rs")
      ? text.includes(`fn ${test.name}(`)
      : ['"', "`"].some((quote) => text.includes(quote + test.name + quote));
    if (!there) return [`  ${feature}\n    no test ${sayTest(test)}`];
    const cases = test.cases.filter((name) => !text.includes(name) && !isVector(name));
    return cases.map((name) => `  ${feature}\n    no case ${name} in ${sayTest(test)}`);
  });
}

/**
 * Which of a row's tests did not pass, or not with every number of shards.
 * @param {Row} row
 * @param {Passed[]} passed
 */
export function notPassed({ feature, tests }, passed) {
  return tests.flatMap((test) => {
    const runs = passed.filter((run) => isRunOf(run, test));
    if (runs.length === 0) return [`  ${feature}\n    did not pass: ${sayTest(test)}`];
    /** @type {Set<string | undefined>} */
    const ways = new Set(runs.map(shardsOf));
    if (ways.has(undefined) || SHARDS.every((shards) => ways.has(shards))) return [];
    return [`  ${feature}\n    passed with ${[...ways].join(" and ")} only: ${sayTest(test)}`];
  });
}

/**
 * @param {Passed} run
 * @param {ShownBy} test
 */
function isRunOf(run, { file, suite, name }) {
  if (run.file === undefined) return file.endsWith(".rs") && run.name === name;
  return (
    run.file === file &&
    (!suite || run.suites?.some((its) => its.startsWith(`${suite} (`))) &&
    patternOf(name).test(run.name)
  );
}

/**
 * A name in the source may have places that are filled in when it runs.
 * @param {string} name
 */
function patternOf(name) {
  const escaped = name.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".+")}$`, "s");
}

/**
 * With how many shards a test ran, or more and more; undefined where that makes no difference.
 * @param {Passed} run
 */
function shardsOf({ suites = [] }) {
  const [shards] = suites.flatMap((suite) => /\((\d+ shards?|growing)\)$/.exec(suite)?.[1] ?? []);
  return shards;
}
