// One at a time: a lock file that a crash does not leave behind for ever.
//
// The holder touches the file every few seconds. A file that has not been touched for a while, or
// whose holder is gone, is taken over.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "./errors.mjs";
import { say } from "./terminal.mjs";

const TOUCH_EVERY_MS = 2_000;
const STALE_AFTER_MS = 15_000;

/**
 * Does `work` while holding the lock `file`; waits for another holder first.
 * @template T
 * @param {string} file
 * @param {string} what
 * @param {() => T | Promise<T>} work
 */
export async function withLock(file, what, work) {
  mkdirSync(dirname(file), { recursive: true });
  for (let announced = false; !take(file); announced = true) {
    if (isStale(file)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!announced) say(`Another ${what} is running (process ${holder(file) ?? "unknown"}); waiting for it …`);
    await sleep(300);
  }
  const release = () => rmSync(file, { force: true });
  process.on("exit", release);
  const touch = setInterval(() => {
    try {
      utimesSync(file, new Date(), new Date());
    } catch {
      // Taken over, or the folder was removed: the work goes on.
    }
  }, TOUCH_EVERY_MS);
  touch.unref();
  try {
    return await work();
  } finally {
    clearInterval(touch);
    process.off("exit", release);
    release();
  }
}

/** @param {string} file */
function take(file) {
  try {
    const descriptor = openSync(file, "wx");
    writeSync(descriptor, `${process.pid}\n`);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} file */
function holder(file) {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} file */
function isStale(file) {
  try {
    if (Date.now() - statSync(file).mtimeMs > STALE_AFTER_MS) return true;
  } catch {
    return false;
  }
  const pid = holder(file);
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}
