// Whether the tests that a row names are there, and whether they passed.
import { existsSync, readFileSync } from "node:fs";
import { filesUnder } from "../build/inputs.mjs";
import { at } from "../paths.mjs";

/** With how many shards the end-to-end tests run. Where hubs grow is for each suite to say. */
const SHARDS = ["1 shard", "4 shards"];

const texts = new Map();
function textOf(file) {
  if (!texts.has(file)) texts.set(file, existsSync(at(file)) ? readFileSync(at(file), "utf8") : "");
  return texts.get(file);
}

let vectors;
function isVector(name) {
  vectors ??= new Set(
    filesUnder(at("tests", "vectors")).flatMap((file) =>
      JSON.parse(readFileSync(file, "utf8")).vectors.map((vector) => vector.name),
    ),
  );
  return vectors.has(name);
}

const sayTest = ({ file, name }) => `${file}: ${name}`;

/** What is wrong with a row's names as they stand in the files: a test, or a case in its table or among the vectors. */
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

/** Which of a row's tests did not pass, or not with every number of shards. */
export function notPassed({ feature, tests }, passed) {
  return tests.flatMap((test) => {
    const runs = passed.filter((run) => isRunOf(run, test));
    if (runs.length === 0) return [`  ${feature}\n    did not pass: ${sayTest(test)}`];
    const ways = new Set(runs.map(shardsOf));
    if (ways.has(undefined) || SHARDS.every((shards) => ways.has(shards))) return [];
    return [`  ${feature}\n    passed with ${[...ways].join(" and ")} only: ${sayTest(test)}`];
  });
}

function isRunOf(run, { file, suite, name }) {
  if (run.file === undefined) return file.endsWith(".rs") && run.name === name;
  return (
    run.file === file &&
    (!suite || run.suites.some((its) => its.startsWith(`${suite} (`))) &&
    patternOf(name).test(run.name)
  );
}

/** A name in the source may have places that are filled in when it runs. */
function patternOf(name) {
  const escaped = name.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".+")}$`, "s");
}

/** With how many shards a test ran, or more and more; undefined where that makes no difference. */
function shardsOf({ suites = [] }) {
  const [shards] = suites.flatMap((suite) => /\((\d+ shards?|growing)\)$/.exec(suite)?.[1] ?? []);
  return shards;
}
