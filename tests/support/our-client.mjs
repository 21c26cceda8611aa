// Our package as it was built, the way Node finds it.
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./service.mjs";

const folder = path.join(root, "build", "client");
/** The package as it is published. */
export const tarball = path.join(folder, "webpubsub-edge-client.tgz");

function entry(target) {
  if (typeof target === "string") return target;
  const condition = Object.keys(target).find((name) => ["node", "import", "default"].includes(name));
  return entry(target[condition ?? "default"]);
}

export function loadOurClient() {
  const { exports } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  return import(pathToFileURL(path.join(folder, entry(exports["."]))).href);
}
