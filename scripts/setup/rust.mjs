// Rust itself, and the crates of Cargo.lock.
import { ask, run } from "../processes.mjs";
import { root } from "../paths.mjs";
import { Problem } from "../terminal.mjs";
import { atLeast, minimumRust } from "../versions.mjs";

/** Rust cannot be installed for somebody: it is theirs. */
export function checkRust() {
  const version = ask("rustc", ["--version"])?.split(" ")[1];
  const wanted = minimumRust();
  if (!version) {
    throw new Problem(`Rust is missing. Install it from https://rustup.rs, then run this again.`);
  }
  if (!atLeast(version, wanted)) {
    throw new Problem(`Rust ${wanted} or newer is needed and this is ${version}. Run: rustup update`);
  }
}

export const crates = {
  name: "Rust crates",

  isThere: () => ask("cargo", ["fetch", "--locked", "--offline"], { cwd: root }) !== undefined,

  install: () => run("cargo", ["fetch", "--locked"], { cwd: root }),
};
