// The npm packages of package-lock.json.
import { existsSync, readFileSync } from "node:fs";
import { run } from "../processes.mjs";
import { at, root } from "../paths.mjs";

/**
 * What a lock file says of packages, by where they are installed.
 * @typedef {{ packages: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} PackageLock
 */

export const npmPackages = {
  name: "npm packages",

  isThere() {
    // npm writes this copy of the lock file last: with it, the installation was completed.
    const installed = at("node_modules", ".package-lock.json");
    if (!existsSync(installed)) return false;
    return matches(readJson(at("package-lock.json")), readJson(installed));
  },

  async install() {
    // The packages bring their programs along; no script of theirs needs to run.
    const args = ["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", args, { cwd: root });
  },
};

/**
 * Whether what is installed is what the lock file says; optional packages may be left out.
 * @param {PackageLock} lock
 * @param {PackageLock} installed
 */
export function matches(lock, installed) {
  return Object.entries(lock.packages).every(([path, { version, optional, link }]) => {
    if (path === "" || link) return true;
    const there = installed.packages[path];
    return there ? there.version === version : Boolean(optional);
  });
}

/** @param {string} file */
export const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));
