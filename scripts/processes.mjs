// Starting other programs, and never leaving one behind.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants as fsConstants, readFileSync, readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { delimiter, join } from "node:path";
import { Problem } from "./terminal.mjs";

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

process.on("exit", () => {
  for (const child of running) kill(family(child.pid));
});

/** @type {(exitCode: number) => void} */
let onSignal = (exitCode) => process.exit(exitCode);

/** Ends this process, and with it all that it started, on Ctrl-C, SIGTERM and a closed terminal. */
export function exitOnSignals() {
  for (const [signal, exitCode] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) {
    process.on(signal, () => onSignal(exitCode));
  }
}

/** npm passes on a Ctrl-C that the terminal has given to everything it started already: it arrives twice. */
const SAME_SIGNAL_WITHIN_MS = 500;

/**
 * Calls `handler` at the next such signal instead; one more, unless it is the same again, ends this process at once.
 * @param {() => void} handler
 */
export function onNextSignal(handler) {
  const exit = onSignal;
  onSignal = () => {
    onSignal = () => {};
    setTimeout(() => (onSignal = exit), SAME_SIGNAL_WITHIN_MS).unref();
    handler();
  };
}

/**
 * How a program is started; one that `isModest` gets what others leave of the machine, as all that it starts.
 * @typedef {{
 *   env?: NodeJS.ProcessEnv, cwd?: string, stdio?: import("node:child_process").StdioOptions, isModest?: boolean,
 * }} StartOptions
 */

/**
 * Starts a program; unless `stdio` says otherwise, what it prints can be read.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {StartOptions} options
 * @returns {import("node:child_process").ChildProcessWithoutNullStreams}
 */
export function start(command, args, { env = process.env, cwd, stdio = ["ignore", "pipe", "pipe"], isModest } = {}) {
  const child = /** @type {import("node:child_process").ChildProcessWithoutNullStreams} */ (
    spawn(command, args, { env, cwd, stdio })
  );
  if (isModest && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.once("error", () => running.delete(child));
  return child;
}

/**
 * Asks a program to end, and after `grace` milliseconds ends it and all that it started.
 * @param {import("node:child_process").ChildProcess} child
 */
export async function stop(child, { grace = 1_000 } = {}) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const all = family(child.pid);
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => kill(all), grace);
  await gone;
  clearTimeout(timer);
  kill(all);
}

/** @param {number[]} pids */
function kill(pids) {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Already gone.
    }
  }
}

/**
 * A process and all that it started, and what those started; none where it was not started.
 * @param {number | undefined} pid
 */
function family(pid) {
  const all = pid === undefined ? [] : [pid];
  const parents = parentOfEach();
  for (const parent of all) {
    for (const [child, itsParent] of parents) if (itsParent === parent) all.push(child);
  }
  return all;
}

/** @returns {number[][]} pairs of a process and its parent */
function parentOfEach() {
  try {
    // Linux. The name in brackets may hold anything; the parent is the second word after it.
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => {
        const stat = readIfThere(`/proc/${name}/stat`);
        return [Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])];
      });
  } catch {
    const lines = (ask("ps", ["-A", "-o", "pid=,ppid="]) ?? "").split("\n");
    return lines.map((line) => line.trim().split(/\s+/).map(Number));
  }
}

/**
 * The text of a file; none where it is not there.
 * @param {string} file
 */
export function readIfThere(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/**
 * Runs a program to its end. Resolves with what it printed; rejects when it fails, with the
 * end of it. `onOutput` sees the output as it comes; `echo` passes it on to the terminal;
 * `limit` is how many milliseconds it may take, and `failure` what is said to have failed.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {StartOptions & { onOutput?: (text: string) => void, echo?: boolean, failure?: string, limit?: number }} options
 * @returns {Promise<string>}
 */
export async function run(command, args, { onOutput, echo = false, failure, limit, ...options } = {}) {
  const child = start(command, args, options);
  const timer = limit && setTimeout(() => kill(family(child.pid)), limit);
  let output = "";
  for (const name of /** @type {const} */ (["stdout", "stderr"])) {
    const [stream, terminal] = [child[name], process[name]];
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      output += text;
      onOutput?.(text);
      if (echo) terminal.write(text);
    });
  }
  const [code, signal] = await Promise.race([
    once(child, "close"),
    once(child, "error").then(([error]) => {
      throw new Problem(`${command} could not be started: ${error.message}`);
    }),
  ]);
  clearTimeout(timer);
  if (code === 0) return output;
  const how = signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
  const tail = echo ? "" : `\n${lastLines(output)}`;
  throw new Problem(`${failure ?? `${command} ${args.join(" ")}`} ${how}.${tail}`, { output });
}

/**
 * The last lines of a program's output, without cargo's progress.
 * @param {string} output
 */
function lastLines(output, count = 60) {
  const lines = output.split("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1).trimEnd());
  return lines
    .filter((line) => line !== "" && !/^ +(Compiling|Checking|Fresh|Dirty|Download\w+|Building) /.test(line))
    .slice(-count)
    .join("\n");
}

/**
 * What a short program prints, or `undefined` where it fails or is not there.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} options
 */
export function ask(command, args, { env = process.env, cwd } = {}) {
  const { status, stdout } = spawnSync(command, args, {
    env,
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * The path of a program in PATH, or `undefined`.
 * @param {string} name
 */
export function which(name, path = process.env.PATH ?? "") {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, fsConstants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
