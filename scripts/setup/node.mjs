// The Node that everything after the set-up runs on: npm's own packages of it, pinned like any other.
//
// npm puts `node_modules/.bin` first on the PATH of its scripts, so from the second run on this is
// the Node that they start with. The first run starts with the user's, and goes on in this one as
// soon as it is there.
import { existsSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { once } from "node:events";
import { npmBin } from "../paths.mjs";
import { ask, start } from "../processes.mjs";
import { Problem } from "../terminal.mjs";
import { atLeast } from "../versions.mjs";

/** What wrangler asks for, on systems for which npm has no Node. */
const LEAST_WITHOUT_PIN = "22.12.0";

/**
 * What a parent that only waits passes on. Ctrl-C reaches both by itself where there is a terminal.
 * @type {NodeJS.Signals[]}
 */
const passedOn = process.stdin.isTTY ? ["SIGTERM", "SIGHUP"] : ["SIGTERM", "SIGHUP", "SIGINT"];

/** Returns in the pinned Node; anywhere else does the whole command again in the pinned one, and ends with its exit code. */
export async function continueOnPinnedNode() {
  const pinned = npmBin(process.platform === "win32" ? "node.cmd" : "node");
  if (!existsSync(pinned)) {
    if (atLeast(process.versions.node, LEAST_WITHOUT_PIN)) return;
    throw new Problem(
      `npm has no Node for ${process.platform}-${process.arch}, so ${LEAST_WITHOUT_PIN} or newer is needed here and this is ${process.versions.node}. Get it from https://nodejs.org.`,
    );
  }
  if (ask(pinned, ["--version"]) === process.version) return;

  const env = { ...process.env, PATH: [dirname(pinned), process.env.PATH].join(delimiter) };
  const child = start(pinned, [...process.execArgv, ...process.argv.slice(1)], { env, stdio: "inherit" });
  process.removeAllListeners("SIGINT").on("SIGINT", () => {});
  for (const signal of passedOn) process.removeAllListeners(signal).on(signal, () => child.kill(signal));
  const [code, signal] = await once(child, "exit");
  if (signal) process.removeAllListeners(signal).kill(process.pid, signal);
  process.exit(code ?? 1);
}
