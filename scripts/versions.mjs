// Every pinned version that is not in a lock file, in one place.
//
// npm packages (wrangler, workerd, esbuild, binaryen, …) are pinned by `package.json` and
// `package-lock.json`, crates by `Cargo.lock`, Python packages by `tests/requirements.txt`.
import { readFileSync } from "node:fs";
import { at } from "./paths.mjs";
import { Problem } from "./terminal.mjs";

/** Rust tools that the set-up installs. */
export const versions = {
  /** Must equal the `wasm-bindgen` in `Cargo.lock`: the two speak a private format. */
  "wasm-bindgen": "0.2.130",
  /** Must equal the `worker` crate in `Cargo.lock`: they are released together. */
  "worker-build": "0.8.7",
  "wasm-pack": "0.15.1",
};

const follows = { "wasm-bindgen": "wasm-bindgen", "worker-build": "worker" };

/** The version of a crate in the text of a `Cargo.lock`. */
export function lockedVersion(lock, crate) {
  return lock.match(new RegExp(`^name = "${crate}"\\nversion = "([^"]+)"`, "m"))?.[1];
}

/** Fails when a tool and the crate that it must match have drifted apart. */
export function checkVersions(lock = readFileSync(at("Cargo.lock"), "utf8")) {
  for (const [tool, crate] of Object.entries(follows)) {
    const locked = lockedVersion(lock, crate);
    if (locked !== versions[tool]) {
      throw new Problem(
        `${tool} is pinned to ${versions[tool]} in scripts/versions.mjs, but Cargo.lock has ` +
          `${crate} ${locked ?? "nowhere"}. They must be equal: change one of them.`,
      );
    }
  }
}

/** Fails on a Node that is older than `package.json` asks for. */
export function checkNode(have = process.versions.node) {
  const wanted = JSON.parse(readFileSync(at("package.json"), "utf8")).engines.node.replace(">=", "");
  if (!atLeast(have, wanted)) throw new Problem(`Node ${wanted} or newer is needed and this is ${have}. Get it from https://nodejs.org.`);
}

/** The oldest Rust that compiles the workspace, from `Cargo.toml`. */
export function minimumRust(manifest = readFileSync(at("Cargo.toml"), "utf8")) {
  return manifest.match(/^rust-version = "([^"]+)"/m)?.[1] ?? "1.95";
}

/** Whether dotted version `have` is at least `want`. */
export function atLeast(have, want) {
  const [a, b] = [have, want].map((version) => version.split(/[.-]/).map(Number));
  for (const [index, wanted] of b.entries()) {
    const number = a[index] ?? 0;
    if (number !== wanted) return number > wanted;
  }
  return true;
}
