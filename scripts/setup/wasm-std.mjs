// Rust's standard library for wasm32-unknown-unknown, which rustup adds with one command.
//
// Where rustup cannot download, Debian's own Rust takes its place for wasm32: see debian-rust.mjs.
import { existsSync } from "node:fs";
import { run, which } from "../processes.mjs";
import { Problem } from "../terminal.mjs";
import { WASM, wasmStd } from "../toolchain.mjs";
import * as apt from "./apt.mjs";
import { debianRustIsThere, makeDebianRust } from "./debian-rust.mjs";

/** @import { Progress } from "../terminal.mjs" */

export const wasmStandardLibrary = {
  name: `Rust's standard library for ${WASM}`,

  isThere: () => wasmStd("rustc") !== undefined || debianRustIsThere(),

  /** @param {Progress} at */
  async install(at) {
    if (await addWithRustup(at)) return;
    const advice = `The target ${WASM} is missing. Run: rustup target add ${WASM}`;
    if (!apt.hasApt()) throw new Problem(advice);
    await makeDebianRust(advice, at);
  },
};

/** @param {Progress} at */
async function addWithRustup(at) {
  if (!which("rustup")) return false;
  at("rustup target add");
  try {
    await run("rustup", ["target", "add", WASM]);
    return wasmStd("rustc") !== undefined;
  } catch {
    return false;
  }
}

/** Clippy for that Rust. rustup's clippy serves where rustup's Rust has the target. */
export const wasmClippy = {
  name: `clippy for ${WASM}`,
  isThere: () => Boolean(wasmStd("rustc")) || existsSync("/usr/bin/clippy-driver"),
  /** @param {Progress} at */
  async install(at) {
    const packages = ["rust-web-clippy"];
    if (!apt.canInstall()) throw new Problem(`clippy is missing. Run: ${apt.command(packages)}`);
    await apt.install(packages, at);
  },
};
