// What a part of the build is made from, and whether that has changed since it was made.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { codeOf } from "../errors.mjs";
import { at, build, root } from "../paths.mjs";

/**
 * Every file under these files and folders, sorted; what is made or installed is left out.
 * @param {...string} paths
 */
export function filesUnder(...paths) {
  const files = paths.flatMap((path) => walk(path));
  return files.sort();
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function walk(path) {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return [path];
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
  const kept = entries.filter(({ name }) => !name.startsWith(".") && name !== "node_modules" && name !== "target");
  return kept.flatMap((entry) => (entry.isDirectory() ? walk(join(path, entry.name)) : [join(path, entry.name)]));
}

/**
 * The folders of a crate and of all the workspace's crates that it is built on.
 * @param {string} folder
 */
export function crateFolders(folder) {
  const found = new Set();
  /** @param {string} crate */
  const visit = (crate) => {
    if (found.has(crate)) return;
    found.add(crate);
    const dependencies = readFileSync(join(crate, "Cargo.toml"), "utf8").split(/^\[dev-dependencies\]/m)[0];
    for (const [, name] of dependencies.matchAll(/^(webpubsub-[a-z-]+)[ .=]/gm)) visit(at("crates", name));
  };
  visit(at(folder));
  return [...found];
}

/**
 * A fingerprint of the content of files, and of what else decides about a result. A file that another
 * part has yet to make counts by its name alone.
 * @param {string[]} files
 * @param {...unknown} more
 */
export function fingerprint(files, ...more) {
  const hash = createHash("sha256").update(JSON.stringify(more));
  for (const file of files) {
    hash.update(`\n${relative(root, file)}\n`);
    if (existsSync(file)) hash.update(readFileSync(file));
  }
  return hash.digest("hex");
}

/** @param {string} part */
const stampFile = (part) => join(build, ".stamps", part);

/**
 * Whether a part was made from exactly this, and is still there.
 * @param {string} part
 * @param {string} print
 * @param {string[]} outputs
 */
export function isUpToDate(part, print, outputs) {
  return (
    existsSync(stampFile(part)) &&
    readFileSync(stampFile(part), "utf8") === print &&
    outputs.every((file) => existsSync(file))
  );
}

/**
 * Says that a part is being made, so that an interrupted build does not count.
 * @param {string} part
 */
export const begin = (part) => rmSync(stampFile(part), { force: true });

/**
 * Says what a part was made from.
 * @param {string} part
 * @param {string} print
 */
export function complete(part, print) {
  mkdirSync(dirname(stampFile(part)), { recursive: true });
  writeFileSync(stampFile(part), print);
}
