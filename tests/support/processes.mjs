// Programs that tests start, each the head of a process group, so that what it started ends with it.
import { spawn } from "node:child_process";

const running = new Set();

// A test that ends, or is stopped, ends what it started.
process.once("exit", () => running.forEach(kill));
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

/** Ends a program and all that it started, as a crash would. */
export function kill(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** Resolves with the exit code, or the signal, when a program has ended and said its last word. */
export function ended(child) {
  return new Promise((resolve, reject) =>
    child.on("error", reject).on("close", (code, signal) => resolve(code ?? signal)),
  );
}
