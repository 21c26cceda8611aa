// Programs that tests start, each the head of a process group, so that what it started ends with it.
import { spawn } from "node:child_process";
import { codeOf } from "../../scripts/errors.mjs";

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

// A test that ends, or is stopped, ends what it started.
process.once("exit", () => running.forEach((child) => kill(child)));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/**
 * Starts a program; `onOutput` gets what it prints, errors included, as it comes.
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions & { onOutput?: (text: string) => void }} options
 */
export function start(command, args, { onOutput, ...options } = {}) {
  const child = /** @type {import("node:child_process").ChildProcessWithoutNullStreams} */ (
    spawn(command, args, { detached: true, stdio: ["ignore", "pipe", "pipe"], ...options })
  );
  running.add(child);
  child.on("close", () => running.delete(child));
  if (onOutput) for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", onOutput);
  return child;
}

/**
 * Ends a program and all that it started, as a crash would.
 * @param {import("node:child_process").ChildProcess} child
 */
export function kill({ pid }) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

/**
 * Resolves with the exit code, or the signal, when a program has ended and said its last word.
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<number | NodeJS.Signals | null>}
 */
export function ended(child) {
  return new Promise((resolve, reject) =>
    child.on("error", reject).on("close", (code, signal) => resolve(code ?? signal)),
  );
}
