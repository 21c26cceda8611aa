// Circles of files: files of one crate that import each other, directly or through others.
//
// What a file imports are its paths that begin with `crate::` or `super::`, and private `use`s of the modules that it
// declares. `mod` lines and re-exports (`pub use`) do not count, nor does anything of `lib.rs` and of tests.
import { readFileSync, readdirSync } from "node:fs";
import { relative, sep } from "node:path";
import { filesUnder } from "../build/inputs.mjs";
import { at } from "../paths.mjs";
import { Problem } from "../terminal.mjs";

const ROOTS = new Set(["lib.rs", "main.rs"]);

/**
 * The code of a file without comments, texts and the tests at its end.
 * @param {string} text
 */
function code(text) {
  const [before] = text.split(/^#\[cfg\(test\)\]\nmod /m);
  return before.replaceAll(/"(?:\\.|[^"\\])*"/gs, '""').replaceAll(/\/\/.*$/gm, "");
}

/**
 * The paths of a `use`, whose braces stand for several.
 * @param {string} use
 * @returns {string[][]}
 */
function paths(use) {
  const open = use.indexOf("{");
  if (open < 0) return [use.replace(/ as \w+$/, "").split("::")];
  const prefix = use.slice(0, open).replace(/::$/, "");
  /** @type {string[]} */
  const parts = [];
  let depth = 0;
  let part = "";
  for (const letter of use.slice(open + 1, use.lastIndexOf("}"))) {
    if (letter === "{") depth += 1;
    if (letter === "}") depth -= 1;
    if (letter === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else part += letter;
  }
  return [...parts, part].filter((one) => one !== "").flatMap((one) => paths(`${prefix}::${one}`));
}

/**
 * The files, by their names, that a file imports. `modules` has the file of each module of the crate.
 * @param {string[]} module
 * @param {string} text
 * @param {Map<string, string>} modules
 */
function importsOf(module, text, modules) {
  const source = code(text);
  const children = new Set([...source.matchAll(/^(?:pub(?:\([^)]*\))? )?mod (\w+);/gm)].map(([, name]) => name));
  /** @type {string[][]} */
  const found = [];
  const rest = source.replaceAll(/^[ \t]*(pub(?:\([^)]*\))? )?use ([^;]+);/gm, (_, isPublic, use) => {
    const all = paths(use.replaceAll(/\s+/g, ""));
    found.push(
      ...all.filter(([first]) => first === "crate" || first === "super" || (!isPublic && children.has(first))),
    );
    return "";
  });
  for (const [path] of rest.matchAll(/(?<![\w:$])(?:crate|super)(?:::\w+)+/g)) found.push(path.split("::"));
  /** @type {Set<string>} */
  const files = new Set();
  for (const path of found) {
    let at = path[0] === "crate" ? [] : module;
    const segments = path[0] === "crate" ? path.slice(1) : [...path];
    while (segments[0] === "super") {
      at = at.slice(0, -1);
      segments.shift();
    }
    while (segments.length > 0 && modules.has([...at, segments[0]].join("::"))) at = [...at, ...segments.splice(0, 1)];
    const file = modules.get(at.join("::"));
    if (file && file !== modules.get(module.join("::"))) files.add(file);
  }
  return files;
}

/**
 * The circles among files: a map from a file's path below `src` to its text. Each circle is sorted.
 * @param {Map<string, string>} files
 */
export function circlesOf(files) {
  const moduleOf = (/** @type {string} */ file) => file.replace(/\.rs$/, "").split("/");
  const crate = [...files].filter(([file]) => !ROOTS.has(file));
  const names = crate.map(([file]) => file);
  const modules = new Map(names.map((file) => [moduleOf(file).join("::"), file]));
  const edges = new Map(crate.map(([file, text]) => [file, importsOf(moduleOf(file), text, modules)]));
  const reached = new Map(names.map((file) => [file, reach(file, edges)]));
  const reaches = (/** @type {string} */ one, /** @type {string} */ other) => reached.get(one)?.has(other);
  /** @type {Map<string, string[]>} */
  const circles = new Map();
  for (const file of names) {
    const circle = names.filter((other) => reaches(file, other) && reaches(other, file)).sort();
    if (circle.length > 0) circles.set(circle.join(" "), circle);
  }
  return [...circles.values()];
}

/**
 * What can be reached from a file; itself only in a circle.
 * @param {string} file
 * @param {Map<string, Set<string>>} edges
 */
function reach(file, edges) {
  /** @type {Set<string>} */
  const seen = new Set();
  const next = [...(edges.get(file) ?? [])];
  for (let other = next.pop(); other !== undefined; other = next.pop()) {
    if (seen.has(other)) continue;
    seen.add(other);
    next.push(...(edges.get(other) ?? []));
  }
  return seen;
}

/** The crates whose files are looked at, as folders. */
const folders = () => [...readdirSync(at("crates")).map((crate) => `crates/${crate}`), "worker", "bench/load"];

/** No circle of files in any crate. */
export function checkCircles() {
  const problems = folders().flatMap((folder) => {
    const source = at(folder, "src");
    const files = filesUnder(source).filter((file) => file.endsWith(".rs"));
    const texts = new Map(
      files.map((file) => [relative(source, file).replaceAll(sep, "/"), readFileSync(file, "utf8")]),
    );
    return circlesOf(texts).map(
      (circle) => `${folder}/src has a circle of files that import each other: ${circle.join(", ")}.`,
    );
  });
  if (problems.length > 0) throw new Problem(problems.join("\n"));
}
