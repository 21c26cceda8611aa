// Which test files run together, and which by themselves.
import { existsSync, statSync } from "node:fs";
import { basename, relative, resolve } from "node:path";
import { filesUnder } from "../build/inputs.mjs";
import { nearest } from "../nearest.mjs";
import { at } from "../paths.mjs";
import { UsageProblem } from "../terminal.mjs";

/**
 * The test files under a folder of `tests`.
 * @param {string} folder
 */
export const testFiles = (folder) => testsUnder(at("tests", folder));

/** @param {string} path */
const testsUnder = (path) => filesUnder(path).filter((file) => file.endsWith(".test.mjs"));

/** @param {string} file */
const asTyped = (file) => relative(process.cwd(), file);

/**
 * The test files that are meant by these names: files, and folders with all that is in them.
 * @param {string[]} names
 */
export function namedFiles(names) {
  return names.flatMap((name) => {
    if (!existsSync(name)) throw new UsageProblem(`There is no test file ${name}.${suggestion(name)}`);
    if (!statSync(name).isDirectory()) return [name];
    const files = testsUnder(resolve(name)).map(asTyped);
    if (files.length === 0) throw new UsageProblem(`There is no test file in ${name}.`);
    return files;
  });
}

/** @param {string} name */
function suggestion(name) {
  const all = testFiles("");
  const meant = nearest(basename(name), [...new Set(all.map((file) => basename(file)))]);
  const files = all.filter((file) => basename(file) === meant).map(asTyped);
  return files.length > 0 ? ` Did you mean ${files.join(" or ")}?` : "";
}

/** Tests that run when no other does: they compare times or memory, or use the documents' own folders and ports. */
export const alone = [
  "chaos/chaos",
  "e2e/clients/slow-readers",
  "e2e/event-handlers/order",
  "quickstart/event-handler",
].map((name) => at("tests", `${name}.test.mjs`));

/** Tests that do little but wait until objects sleep, which a busy machine could keep awake: beside each other only. */
export const idle = ["hibernation", "silences"].map((name) => at("tests", "e2e", "reliability", `${name}.test.mjs`));

/** Folders of tests that start no service of their own, or one that is always the same, or that have a step of their own. */
const apart = ["scripts", "worker", "packaging", "examples", "native"].map((name) => at("tests", name));

/** All other end-to-end tests, but for those that need the machine to themselves. */
export const sideBySide = () =>
  testFiles("").filter((file) => ![...apart, ...alone, ...idle].some((path) => file.startsWith(path)));

/** What the native server adds nothing to: a client whose service is a script, deployment. */
export const ofOtherHosts = ["client", "e2e/operations/deploy"].map((name) => at("tests", name));

/** Where several shards of one process do something else than one: what is relayed, recovered, numbered and in order. */
export const ofSeveralShards = [
  "clients/delivery",
  "clients/group-states",
  "clients/order",
  "clients/order-of-many",
  "clients/streams",
  "reliability/recovery",
  "reliability/reliable",
  "reliability/restart",
].map((name) => at("tests", "e2e", `${name}.test.mjs`));
