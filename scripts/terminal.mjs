// What the person at the terminal sees: steps with their times, and problems in one line.
import { performance } from "node:perf_hooks";

/** Something that the person can mend. Its message says what is wrong and what to do. */
export class Problem extends Error {
  /**
   * @param {string} message
   * @param {{ exitCode?: number, output?: string }} options `output` is what a program printed that failed.
   */
  constructor(message, { exitCode = 1, output } = {}) {
    super(message);
    this.exitCode = exitCode;
    this.output = output;
  }
}

/** A mistake on the command line. */
export class UsageProblem extends Problem {
  /** @param {string} message */
  constructor(message) {
    super(message, { exitCode: 2 });
  }
}

/** What a command does: it was asked for and is no mistake. */
export class Help extends Error {}

const tty = process.stdout.isTTY && !process.env.CI;

/** How often a step that takes long says where it is, when the line cannot be rewritten. */
const REPORT_EVERY_MS = 20_000;

export function say(line = "") {
  process.stdout.write(`${line}\n`);
}

/**
 * A text as a shell reads it as one word.
 * @param {string} text
 */
export const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/**
 * `3.2 s`, or `2 min 05 s`.
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/**
 * Reports where a step of work is.
 * @typedef {(where: string) => void} Progress
 */

/**
 * Does one step of work and says how long it took.
 *
 * `work` gets a function that reports where the step is: on a terminal the line is rewritten,
 * elsewhere it is repeated now and then.
 * @template T
 * @param {string} title
 * @param {(at: Progress) => T | Promise<T>} work
 */
export async function step(title, work) {
  const started = performance.now();
  const elapsed = () => duration(performance.now() - started);
  let detail = "";
  let reported = started;
  const draw = () => {
    const line = `  ${title} … ${elapsed()}${detail ? `, ${detail}` : ""}`;
    process.stdout.write(`\r\x1b[2K${line.slice(0, (process.stdout.columns ?? 80) - 1)}`);
  };
  /** @type {Progress} */
  const at = (where) => {
    detail = where;
    const now = performance.now();
    if (!tty && now - reported > REPORT_EVERY_MS) {
      reported = now;
      say(`  ${title} … ${elapsed()}, ${detail}`);
    }
  };
  const timer = tty ? setInterval(draw, 200) : undefined;
  if (tty) draw();
  else say(`  ${title} …`);
  const finish = (/** @type {string} */ outcome) => {
    clearInterval(timer);
    if (tty) process.stdout.write("\r\x1b[2K");
    say(`  ${title}: ${outcome}`);
  };
  try {
    const result = await work(at);
    finish(elapsed());
    return result;
  } catch (error) {
    finish(`failed after ${elapsed()}`);
    throw error;
  }
}

/**
 * Runs a script's body: help ends it well, a problem with its message and exit code, a bug with its stack.
 * @param {() => unknown} body
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (error instanceof Help) {
      say(error.message);
      return;
    }
    const isProblem = error instanceof Problem;
    process.stderr.write(`${isProblem ? error.message : (error instanceof Error && error.stack) || error}\n`);
    process.exitCode = isProblem ? error.exitCode : 1;
  }
}
