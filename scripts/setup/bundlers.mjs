// The bundlers, frameworks and checkers that the packaging tests try the npm package with.
//
// They are large, so they are pinned by a lock file of their own and stay out of the project's.
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../processes.mjs";
import { at, tools } from "../paths.mjs";
import { matches, readJson } from "./npm.mjs";

const pins = at("tests", "packaging", "bundlers");

/** Where they are installed; projects in its folder `projects` find them by themselves. */
export const bundlersFolder = join(tools, "bundlers");

export const bundlers = {
  name: "bundlers and frameworks for the packaging tests",

  isThere() {
    const installed = join(bundlersFolder, "node_modules", ".package-lock.json");
    return existsSync(installed) && matches(readJson(join(pins, "package-lock.json")), readJson(installed));
  },

  async install() {
    rmSync(bundlersFolder, { recursive: true, force: true });
    mkdirSync(bundlersFolder, { recursive: true });
    for (const name of ["package.json", "package-lock.json"])
      copyFileSync(join(pins, name), join(bundlersFolder, name));
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", args, { cwd: bundlersFolder });
  },
};
