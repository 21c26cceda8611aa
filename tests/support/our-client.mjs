// Our package as it was built, the way Node finds it.
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./service.mjs";

const folder = path.join(root, "build", "client");
/** The package as it is published. */
export const tarball = path.join(folder, "webpubsub-edge-client.tgz");

/**
 * A way in as `exports` of a `package.json` has it: a file, or one for each condition.
 * @typedef {string | { [condition: string]: Target }} Target
 */

/**
 * @param {Target} target
 * @returns {string}
 */
function entry(target) {
  if (typeof target === "string") return target;
  const condition = Object.keys(target).find((name) => ["node", "import", "default"].includes(name));
  return entry(target[condition ?? "default"]);
}

/** The package, or one of its modules, such as `./server`. */
export function loadOurClient(module = ".") {
  const { exports } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  return import(pathToFileURL(path.join(folder, entry(exports[module]))).href);
}
