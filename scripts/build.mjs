// `npm run build`: the worker, the npm packages and the page, with their sizes.
//
// A part whose sources have not changed is left as it is.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { client } from "./build/client.mjs";
import { begin, complete, fingerprint, filesUnder, isUpToDate } from "./build/inputs.mjs";
import { commandLine } from "./build/package.mjs";
import { reportSizes } from "./build/sizes.mjs";
import { worker } from "./build/worker.mjs";
import { www } from "./build/www.mjs";
import { parse } from "./command.mjs";
import { linkForExamples } from "./link.mjs";
import { withLock } from "./lock.mjs";
import { at, build as folder } from "./paths.mjs";
import { ask, exitOnSignals } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { main, step } from "./terminal.mjs";
import { wasmEnv } from "./toolchain.mjs";
import { versions } from "./versions.mjs";

/** @import { Progress } from "./terminal.mjs" */

// The page holds a copy of the client, so it comes last.
/** @type {BuildPart[]} */
const parts = [worker, client, www];

/**
 * Makes what is out of date: what a service needs, or with `packages` all that is published. Resolves with the names of
 * the parts that were made.
 */
export async function build({ packages = false } = {}) {
  linkForExamples();
  const wanted = packages ? [...parts, commandLine] : parts;
  const outdated = () => wanted.filter((part) => !isUpToDate(part.part, print(part), part.outputs));
  if (outdated().length === 0) return [];
  return withLock(join(folder, ".lock"), "build", async () => {
    const made = [];
    for (const part of wanted) {
      // Asked again for each: one part can be made from another.
      const fresh = print(part);
      if (isUpToDate(part.part, fresh, part.outputs)) continue;
      begin(part.part);
      await step(`Building the ${part.title}`, (progress) => part.make(progress));
      complete(part.part, fresh);
      made.push(part.part);
    }
    return made;
  });
}

/** @type {unknown[] | undefined} */
let compiler;

/**
 * A part of what is built: the files and facts that it is made from, and what is made.
 * @typedef {{
 *   part: string, title: string, inputs(): string[], outputs: string[], make(progress: Progress): unknown,
 * }} BuildPart
 */

/** @param {BuildPart} part */
function print(part) {
  compiler ??= compilerAndFlags();
  return fingerprint([...part.inputs(), ...filesUnder(at("scripts", "build"))], compiler, versions);
}

function compilerAndFlags() {
  const env = wasmEnv();
  return [ask("rustc", ["-vV"], { env }), env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS];
}

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run build",
  about:
    "Builds the worker and the npm packages, release builds, and says how large they are. Sets up what is missing first.",
  flags: {},
  examples: [
    [
      "npm run build",
      "the worker in build/worker, the page in build/www, the client in build/client/webpubsub-edge-client.tgz, and build/webpubsub-edge-VERSION.tgz, which needs no Rust",
    ],
  ],
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  exitOnSignals();
  await main(async () => {
    parse(process.argv.slice(2), command);
    await setUp("build");
    await build({ packages: true });
    reportSizes();
  });
}
