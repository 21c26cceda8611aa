// `npm run setup`: looks what is missing, and installs only that.
//
// Everything is pinned, and goes into `node_modules` and `.tools` (both ignored by git) where it
// can. It can be interrupted and started again: each part is put in place when it is complete.
// The other commands do this first by themselves.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "./command.mjs";
import { withLock } from "./lock.mjs";
import { tools } from "./paths.mjs";
import { exitOnSignals } from "./processes.mjs";
import { browser } from "./setup/browser.mjs";
import { bundlers } from "./setup/bundlers.mjs";
import { cargoTool } from "./setup/cargo-tools.mjs";
import { continueOnPinnedNode } from "./setup/node.mjs";
import { npmPackages } from "./setup/npm.mjs";
import { peers } from "./setup/peers.mjs";
import { pythonSdks } from "./setup/python.mjs";
import { otherRuntimes } from "./setup/runtimes.mjs";
import { checkRust, crates, exampleCrates } from "./setup/rust.mjs";
import { wasmClippy, wasmStandardLibrary } from "./setup/wasm-std.mjs";
import { UsageProblem, main, say, step } from "./terminal.mjs";
import { checkNode, checkVersions } from "./versions.mjs";

const forBuild = [npmPackages, crates, wasmStandardLibrary, cargoTool("wasm-bindgen"), cargoTool("worker-build")];
/**
 * A part of the set-up.
 * @typedef {{ name: string, isThere(): boolean, install(at: Progress): unknown }} SetUpPart
 *
 * What the set-up is for.
 * @typedef {keyof typeof purposes} Purpose
 *
 * @typedef {import("./terminal.mjs").Progress} Progress
 */

const purposes = {
  build: forBuild,
  bench: [...forBuild, peers, ...otherRuntimes.filter(({ kind }) => kind === "bun")],
  fuzz: [crates],
  native: [crates],
  simulate: [crates],
  quick: [npmPackages, crates],
  browser: [npmPackages, browser],
  python: [npmPackages, pythonSdks],
  lint: [npmPackages, crates, wasmStandardLibrary, wasmClippy],
  "rust-chat": [exampleCrates],
  e2e: [...forBuild, browser, pythonSdks, exampleCrates],
  packaging: [...forBuild, browser, ...otherRuntimes, bundlers],
  test: [
    ...forBuild,
    wasmClippy,
    cargoTool("wasm-pack"),
    browser,
    pythonSdks,
    ...otherRuntimes,
    bundlers,
    exampleCrates,
  ],
};

/**
 * Makes sure that everything for a purpose is there.
 * @param {Purpose} purpose
 */
export async function setUp(purpose) {
  checkNode();
  checkVersions();
  await checkRust();
  /** @type {SetUpPart[]} */
  const parts = purposes[purpose];
  if (parts.includes(npmPackages)) {
    await install([npmPackages]);
    await continueOnPinnedNode();
  }
  await install(parts);
}

/**
 * Installs what is missing of these, one process at a time.
 * @param {SetUpPart[]} wanted
 */
async function install(wanted) {
  const missing = () => wanted.filter((part) => !part.isThere());
  if (missing().length === 0) return;
  await withLock(join(tools, "set-up.lock"), "set-up", async () => {
    const parts = missing();
    if (parts.length === 0) return;
    say(`Set-up: missing are ${parts.map(({ name }) => name).join(", ")}. It can be interrupted and started again.`);
    for (const part of parts) await step(part.name, (at) => part.install(at));
    rmSync(join(tools, "tmp"), { recursive: true, force: true });
  });
}

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run setup",
  about: "Installs what is missing for one purpose. Every other command does this first by itself.",
  flags: {},
  rest: `[${Object.keys(purposes).join(" | ")}]`,
  examples: [
    ["npm run setup", "everything that npm test needs"],
    ["npm run setup -- build", "only what a build needs"],
  ],
};

/**
 * @param {string} text
 * @returns {text is Purpose}
 */
const isPurpose = (text) => Object.hasOwn(purposes, text);

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  exitOnSignals();
  await main(async () => {
    const {
      rest: [purpose = "test", ...more],
    } = parse(process.argv.slice(2), command);
    if (!isPurpose(purpose) || more.length > 0)
      throw new UsageProblem(
        `${command.name} takes one of ${Object.keys(purposes).join(", ")}, not "${process.argv.slice(2).join(" ")}".`,
      );
    await setUp(purpose);
    say(`Set-up: everything to ${purpose} is there.`);
  });
}
