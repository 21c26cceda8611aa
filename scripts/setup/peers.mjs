// The npm packages that only the bench needs, pinned by a lock file of their own: the project's installation stays small.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { at } from "../paths.mjs";
import { run } from "../processes.mjs";
import { matches, readJson } from "./npm.mjs";

const folder = at("bench");

export const peers = {
  name: "the peers that the bench measures",

  isThere() {
    const installed = join(folder, "node_modules", ".package-lock.json");
    return existsSync(installed) && matches(readJson(join(folder, "package-lock.json")), readJson(installed));
  },

  install: () => run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder }),
};
