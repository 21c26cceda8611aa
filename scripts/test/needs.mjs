// What a few end-to-end test files need of the set-up: less than all of them do together.
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { at } from "../paths.mjs";

/** @import { Purpose } from "../setup.mjs" */

/**
 * Parts of the set-up by the file of `tests/support` that uses them.
 * @type {Record<string, Purpose>}
 */
const parts = { "browser.mjs": "browser", "python.mjs": "python" };

/**
 * The purposes to set up for these test files, by what they and their imports import.
 * @param {string[]} files
 * @returns {Purpose[]}
 */
export function needsOf(files) {
  if (files.some((file) => resolve(file).startsWith(at("tests", "packaging")))) return ["packaging"];
  /** @type {Set<string>} */
  const imported = new Set();
  for (const file of files) addImports(resolve(file), imported);
  const more = Object.entries(parts).filter(([name]) => imported.has(at("tests", "support", name)));
  return ["build", ...more.map(([, purpose]) => purpose)];
}

/**
 * @param {string} file
 * @param {Set<string>} found
 */
function addImports(file, found) {
  if (found.has(file) || !existsSync(file)) return;
  found.add(file);
  for (const [, path] of readFileSync(file, "utf8").matchAll(/(?:from|import) "(\.[^"]+)"/g))
    addImports(resolve(dirname(file), path), found);
}
