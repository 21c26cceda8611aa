// What a running service reads is a copy of the build, so that building again does not disturb it.
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { filesUnder } from "../build/inputs.mjs";

/**
 * Copies a folder; returns the names of its files.
 * @param {string} from
 * @param {string} to
 */
export function copyFolder(from, to) {
  return filesUnder(from).map((file) => {
    const name = relative(from, file);
    mkdirSync(dirname(join(to, name)), { recursive: true, mode: 0o700 });
    copyFileSync(file, join(to, name));
    chmodSync(join(to, name), 0o600);
    return name;
  });
}
