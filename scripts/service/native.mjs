// The native server: how it is built, and started.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at, root } from "../paths.mjs";
import { run, start } from "../processes.mjs";
import { step } from "../terminal.mjs";
import { nativeEnv } from "../toolchain.mjs";

const PACKAGE = "webpubsub-server";

/** The program; the environment may name one that is built already. */
export const serverProgram = process.env.WEBPUBSUB_SERVER ?? at("target", "release", PACKAGE);

/**
 * Has glibc give memory of long messages back: left to itself it raises the length from which it asks the system for each
 * piece, up to 32 MB (mallopt(3)), and keeps what a crowd of them took.
 */
export const GLIBC_TUNABLES = "glibc.malloc.mmap_threshold=131072:glibc.malloc.trim_threshold=131072";

/**
 * Builds it, if it is out of date: `ahead` of who needs it without a word, and with what others leave of the machine.
 */
export async function buildServer({ ahead = false } = {}) {
  if (process.env.WEBPUBSUB_SERVER) return;
  const args = ["build", "--locked", "--release", "-p", PACKAGE];
  // They come with a build of everything.
  if (existsSync(at("build", "www", "index.html"))) args.push("--features", "pages");
  const make = () => run("cargo", args, { cwd: root, env: nativeEnv(), isModest: ahead });
  await (ahead ? make() : step("Building the native server", make));
}

/**
 * Starts it.
 * @type {import("../service.mjs").Launch}
 */
export function startServer(options, { variables, keys }, stdio) {
  const args = ["--host", options.host, "--port", options.port, "--state", options.state];
  const { HUB_SETTINGS: settings, ...rest } = variables;
  if (settings !== undefined) {
    mkdirSync(options.state, { recursive: true });
    const file = join(options.state, "hub-settings.json");
    writeFileSync(file, settings, { mode: 0o600 });
    args.push("--settings", file);
  }
  for (const [name, value] of Object.entries(rest)) args.push("--var", `${name}=${value}`);
  const { port, certificate } = options.https ?? {};
  if (port !== undefined && certificate) {
    args.push("--https-port", port, "--cert", certificate.cert, "--key", certificate.key);
  }
  if (options.durability !== undefined) args.push("--durability", options.durability);
  if (options.threads !== undefined) args.push("--threads", options.threads);
  // Where it listens is said when it has answered.
  const [input, output, errors] = stdio;
  const own = [input, output === "inherit" ? "ignore" : output, errors];
  return start(serverProgram, args.map(String), { stdio: own, env: { GLIBC_TUNABLES, ...process.env, ...keys } });
}
