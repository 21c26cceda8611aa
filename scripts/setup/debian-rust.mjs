// Debian's own Rust for wasm32-unknown-unknown, where rustup cannot download the target.
//
// Debian's `rustc-web` comes with the sources of the standard library. This builds the library once into
// `.tools/wasm-rust`, which then looks like a Rust installation that has the target (a `rustc` with another
// sysroot): `cargo`, `worker-build` and `wasm-pack` find it through PATH and need no special flags. The set-up
// falls back on it by itself. To have it without the set-up, as root: node scripts/setup/debian-rust.mjs
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ask, exitOnSignals, run } from "../processes.mjs";
import { at as inProject, tools } from "../paths.mjs";
import { Problem, main, step } from "../terminal.mjs";
import { WASM, ownWasmRust, wasmLinker } from "../toolchain.mjs";
import { atLeast, minimumRust } from "../versions.mjs";
import * as apt from "./apt.mjs";
import { cargoProgress } from "./cargo-progress.mjs";

/** @import { Progress } from "../terminal.mjs" */

const DEBIAN_RUSTC = "/usr/bin/rustc";
const DEBIAN_PACKAGES = ["rustc-web", "cargo-web", "rust-web-src"];
const STAMP = "built-from";

/** What the built library depends on: another compiler or another place means building again. */
function stamp() {
  return `${ask(DEBIAN_RUSTC, ["-vV"]) ?? "no rustc"}\n${ownWasmRust}\n`;
}

/** Whether the library was built, with the compiler that is there today. */
export const debianRustIsThere = () =>
  existsSync(join(ownWasmRust, STAMP)) && readFileSync(join(ownWasmRust, STAMP), "utf8") === stamp();

/**
 * Installs Debian's packages and builds the library; `advice` says what a person does where that is not possible.
 * @param {string} advice
 * @param {Progress} at
 */
export async function makeDebianRust(advice, at) {
  await installDebianRust(advice, at);
  await buildStandardLibrary(at);
}

/**
 * @param {string} advice
 * @param {Progress} at
 */
async function installDebianRust(advice, at) {
  if (!(await apt.offers(DEBIAN_PACKAGES, at))) throw new Problem(advice);
  await need(
    DEBIAN_PACKAGES,
    () => existsSync("/usr/bin/cargo") && existsSync("/usr/lib/rustlib/src/rust") && ask(DEBIAN_RUSTC, ["-vV"]),
    advice,
    at,
  );
  const about = ask(DEBIAN_RUSTC, ["-vV"]) ?? "";
  const version = about.match(/^release: (.*)$/m)?.[1] ?? "0";
  if (!atLeast(version, minimumRust())) {
    throw new Problem(`${advice}\n(Debian's Rust is ${version} and ${minimumRust()} or newer is needed.)`);
  }
  // The linker has to be of the LLVM that the compiler was built with.
  const llvm = about.match(/^LLVM version: (\d+)/m)?.[1];
  await need([`lld-${llvm}`], () => wasmLinker(DEBIAN_RUSTC), advice, at);
}

/**
 * @param {string[]} packages
 * @param {() => string | false | undefined} isThere
 * @param {string} advice
 * @param {Progress} at
 */
async function need(packages, isThere, advice, at) {
  if (isThere()) return;
  if (!apt.canInstall()) {
    throw new Problem(`${advice}\nWhere that cannot download: ${apt.command(packages)}`);
  }
  await apt.install(packages, at);
}

/** @param {Progress} at */
async function buildStandardLibrary(at) {
  const work = join(tools, "tmp", "wasm-std");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, "src"), { recursive: true });
  writeFileSync(
    join(work, "Cargo.toml"),
    `[package]\nname = "wasm-std"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n`,
  );
  writeFileSync(join(work, "src", "lib.rs"), "#![no_std]\n");
  const { PATH, ...rest } = process.env;
  await run("/usr/bin/cargo", ["build", "--release", "-Zbuild-std=std,panic_abort,proc_macro,test", "--target", WASM], {
    cwd: work,
    env: {
      ...rest,
      PATH: `/usr/bin:${PATH}`,
      RUSTC_BOOTSTRAP: "1",
      // Without bitcode the release build's `lto` could not look into the library.
      RUSTFLAGS: "-Cembed-bitcode=yes",
      CARGO_TARGET_DIR: join(work, "target"),
      ...cargoProgress.env,
    },
    onOutput: cargoProgress(at),
  });

  const made = join(work, "wasm-rust");
  const rustlib = join(made, "lib", "rustlib");
  const libraries = join(rustlib, WASM, "lib");
  mkdirSync(libraries, { recursive: true });
  const built = join(work, "target", WASM, "release", "deps");
  for (const file of readdirSync(built)) {
    if (file.endsWith(".rlib") && !file.startsWith("libwasm_std"))
      copyFileSync(join(built, file), join(libraries, file));
  }
  const host = ask(DEBIAN_RUSTC, ["-vV"])?.match(/^host: (.*)$/m)?.[1] ?? "";
  symlinkSync(`/usr/lib/rustlib/${host}`, join(rustlib, host));

  const bin = join(made, "bin");
  mkdirSync(bin);
  symlinkSync("/usr/bin/cargo", join(bin, "cargo"));
  symlinkSync("/usr/bin/cargo-clippy", join(bin, "cargo-clippy"));
  writeFileSync(join(bin, "rustc"), `#!/bin/sh\nexec ${DEBIAN_RUSTC} --sysroot '${ownWasmRust}' "$@"\n`, {
    mode: 0o755,
  });
  writeFileSync(join(made, STAMP), stamp());

  // What was compiled against an older library cannot be linked with this one.
  rmSync(inProject("target", "wasm"), { recursive: true, force: true });
  rmSync(ownWasmRust, { recursive: true, force: true });
  renameSync(made, ownWasmRust);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  exitOnSignals();
  await main(() =>
    step(`Debian's Rust for ${WASM}`, (at) =>
      makeDebianRust(`The target ${WASM} needs rustup or Debian's packages.`, at),
    ),
  );
}
