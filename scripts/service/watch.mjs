// Building again when sources change, beside a running service.
import { watch } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "../build.mjs";
import { messageOf } from "../errors.mjs";
import { at } from "../paths.mjs";
import { say } from "../terminal.mjs";

/** Editors write a file in several steps; a moment later they are done. */
const SETTLED_AFTER_MS = 200;

/**
 * Watches the sources, and calls `load` after a build. A failed build says why, and the service goes on with
 * the one before.
 * @param {() => unknown} load
 */
export function rebuildOnChange(load) {
  let changed = false;
  let building = false;
  const onChange = async (/** @type {string} */ _, /** @type {string | null} */ file) => {
    if (file && /(^|\/)(\.|node_modules|target)/.test(file)) return;
    changed = true;
    if (building) return;
    building = true;
    while (changed) {
      changed = false;
      await sleep(SETTLED_AFTER_MS);
      await rebuild(load);
    }
    building = false;
  };
  for (const folder of ["crates", "worker", "www"]) {
    try {
      watch(at(folder), { recursive: true }, onChange).on("error", (error) =>
        say(`${folder}/ is not watched for changes any more: ${error.message}`),
      );
    } catch (error) {
      say(`${folder}/ is not watched for changes: ${messageOf(error)}`);
    }
  }
}

/** @param {() => unknown} load */
async function rebuild(load) {
  try {
    const made = await build();
    if (made.length === 0) return;
    await load();
    say(`Built again: ${made.join(", ")}.`);
  } catch (error) {
    say(`${messageOf(error)}\nThe service goes on with the last build that succeeded.`);
  }
}
