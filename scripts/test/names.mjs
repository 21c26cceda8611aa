// Names of tests: the rule, in at most 60 characters.
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { filesUnder } from "../build/inputs.mjs";
import { at, root } from "../paths.mjs";
import { Problem } from "../terminal.mjs";

/** A test's name has at most so many characters. A place that is filled in when the test runs counts as one. */
const LIMIT = 60;

/** A test of Rust's: the attribute, and any other attributes, before its function. */
const RUST =
  /^\s*#\[(?:\w+::)?(?:test|wasm_bindgen_test)\b[^\n]*\n(?:\s*(?:#\[[^\n]*|\/\/[^\n]*)\n)*\s*(?:pub )?(?:async )?fn (\w+)/gm;

/** One in a `proptest!`, whose arguments are drawn. */
const PROPERTY = /^\s*fn (\w+)\(\s*[^)]*?\bin\b/gm;

/** A test or suite of JavaScript's, in any quotes. */
const JAVASCRIPT =
  /\b(?:test|it|describe|suite|forEachShardCount|forEachRunner)(?:\.\w+)?\(\s*(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)\s*,/g;

/**
 * The names of the tests in a file's text.
 * @param {string} file
 * @param {string} text
 */
export function namesIn(file, text) {
  const patterns = file.endsWith(".rs") ? [RUST, PROPERTY] : [JAVASCRIPT];
  const found = patterns.flatMap((pattern) => [...text.matchAll(pattern)]);
  return found.map(([, ...ways]) => ways.find((way) => way !== undefined) ?? "");
}

/**
 * How many characters a name has.
 * @param {string} name
 */
export const lengthOf = (name) => [...name.replace(/\$\{[^}]*\}/g, "…").replace(/\\(.)/g, "$1")].length;

/** No test has a longer name than its report is read with. */
export function checkTestNames() {
  const files = filesUnder(at("crates"), at("worker"), at("tests"), at("bench"));
  const wrong = files
    .filter((file) => /\.(?:rs|[cm]?[jt]sx?)$/.test(file))
    .flatMap((file) => {
      const long = namesIn(file, readFileSync(file, "utf8")).filter((name) => lengthOf(name) > LIMIT);
      return long.map((name) => `${relative(root, file)}: ${lengthOf(name)} characters: ${name}`);
    });
  if (wrong.length === 0) return;
  throw new Problem([`${wrong.length} names of tests have more than ${LIMIT} characters:`, ...wrong].join("\n"));
}
