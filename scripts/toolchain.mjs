// The toolchain that the set-up has put together, as an environment for builds.
//
// Native work uses the `cargo` in PATH. Work for wasm32 uses the same one where it has the wasm32
// standard library, and otherwise the copy that the set-up made in `.tools/wasm-rust`
// (see setup/debian-rust.mjs). Either way it has a target folder of its own, `target/wasm`: the two
// kinds of build can run at the same time, and a changed standard library clears one folder only.
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { ask, which } from "./processes.mjs";
import { at, npmBin, tools } from "./paths.mjs";
import { Problem } from "./terminal.mjs";
import { versions } from "./versions.mjs";

/** @import { Tool } from "./versions.mjs" */

export const WASM = "wasm32-unknown-unknown";

/**
 * Where the set-up puts a Rust tool.
 * @param {Tool} name
 */
export const toolFolder = (name) => join(tools, `${name}-${versions[name]}`);

/**
 * A Rust tool of exactly the pinned version: the set-up's, else one in PATH; or `undefined`.
 * @param {Tool} name
 */
export function tool(name) {
  const own = join(toolFolder(name), "bin", name);
  if (existsSync(own)) return own;
  const found = which(name);
  const version = found && ask(found, ["--version"]);
  return version?.split(/\s+/).includes(versions[name]) ? found : undefined;
}

/**
 * The same, where nothing can be done without it.
 * @param {Tool} name
 */
export function neededTool(name) {
  const found = tool(name);
  if (found === undefined) throw new Problem(`${name} ${versions[name]} is missing: npm run setup installs it.`);
  return found;
}

/**
 * Where a `rustc` keeps the wasm32 standard library, if it has one.
 * @param {string} rustc
 * @param {NodeJS.ProcessEnv} [env]
 */
export function wasmStd(rustc, env = process.env) {
  const folder = ask(rustc, ["--print", "target-libdir", "--target", WASM], { env });
  if (!folder || !existsSync(folder)) return undefined;
  return readdirSync(folder).some((file) => /^libstd-.*\.rlib$/.test(file)) ? folder : undefined;
}

/** A Rust for wasm32 that was built here because the one in PATH cannot be given the target. */
export const ownWasmRust = join(tools, "wasm-rust");

/**
 * The linker for wasm32. rustup's toolchains bring it (`rust-lld`); Debian's use the `wasm-ld-N` of
 * the LLVM that they were built with.
 * @param {string} rustc
 */
export function wasmLinker(rustc) {
  const about = ask(rustc, ["-vV"]) ?? "";
  const host = about.match(/^host: (.*)$/m)?.[1] ?? "";
  const sysroot = ask(rustc, ["--print", "sysroot"]) ?? "";
  const own = join(sysroot, "lib", "rustlib", host, "bin", "rust-lld");
  if (existsSync(own)) return own;
  const llvm = about.match(/^LLVM version: (\d+)/m)?.[1];
  return which(`wasm-ld-${llvm}`) ?? which("wasm-ld");
}

let wasm;

/** The environment for every build, lint and test for wasm32. Nothing is downloaded in it. */
export function wasmEnv() {
  wasm ??= makeWasmEnv();
  return { ...wasm };
}

function makeWasmEnv() {
  /** @type {NodeJS.ProcessEnv} */
  const env = {
    ...process.env,
    CARGO_TARGET_DIR: at("target", "wasm"),
    CARGO_NET_OFFLINE: "true",
    WASM_OPT_BIN: npmBin("wasm-opt"),
    ESBUILD_BIN: esbuild(),
  };
  const path = [];
  const own = !wasmStd("rustc") && existsSync(ownWasmRust);
  if (own) {
    path.push(join(ownWasmRust, "bin"));
    // clippy-driver does not ask `rustc` where its libraries are.
    env.SYSROOT = ownWasmRust;
  }
  const rustc = own ? join(ownWasmRust, "bin", "rustc") : "rustc";
  const linker = wasmLinker(rustc);
  if (linker) {
    env.WASM_LINKER = linker;
    env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER = at("scripts", "build", "link.mjs");
  }
  env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS = [...remappedPaths(rustc), ...COMPACT_SHA2, ...COMPACT_CODE].join(
    " ",
  );
  for (const name of /** @type {Tool[]} */ (Object.keys(versions))) {
    const found = tool(name);
    if (found) path.push(dirname(found));
    if (name === "wasm-bindgen" && found) env.WASM_BINDGEN_BIN = found;
  }
  const driver = chromedriver();
  if (driver) env.CHROMEDRIVER = driver;
  env.PATH = [...path, process.env.PATH].join(delimiter);
  return env;
}

/**
 * SHA-256 with its rounds in a loop: 2.4 KB (gzipped) less than unrolled, and in code that is
 * optimised for size no slower.
 */
const COMPACT_SHA2 = ["--cfg", 'sha2_backend_soft="compact"'];

/**
 * Less code from LLVM, and as fast in V8: loops and loads stay as they are written, since what is gained
 * by rearranging them is lost in locals and blocks; and more than 8 bytes are copied by `memory.copy`,
 * which V8 compiles to what loads and stores in pairs come to.
 */
const COMPACT_CODE = ["-disable-lsr", "-enable-load-pre=false", "-max-store-memcpy=1"].map(
  (option) => `-Cllvm-args=${option}`,
);

/**
 * A panic's message names a file: as the crate knows it, not where this machine keeps it. The standard library's files
 * have places on the machine where their sources are installed (rustup's `rust-src`).
 * @param {string} rustc
 */
function remappedPaths(rustc) {
  const registries = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry", "src");
  const folders = existsSync(registries) ? readdirSync(registries) : [];
  const crates = folders.map((name) => [join(registries, name), "crates"]);
  const std = join(ask(rustc, ["--print", "sysroot"]) ?? "", "lib", "rustlib", "src", "rust");
  return [...crates, [std, "rust"]].map(([place, name]) => `--remap-path-prefix=${place}=${name}`);
}

/** The esbuild program itself: the script around it buries a build's errors under its own. */
function esbuild() {
  const program = at("node_modules", "@esbuild", `${process.platform}-${process.arch}`, "bin", "esbuild");
  return existsSync(program) ? program : npmBin("esbuild");
}

/** The environment for native builds, lints and tests. Nothing is downloaded in it. */
export function nativeEnv() {
  return { ...process.env, CARGO_NET_OFFLINE: "true" };
}

/** Chromium or Chrome, or `undefined`. `CHROMIUM` names another one. */
export function chromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  return (
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
      .map((name) => which(name))
      .find(Boolean) ?? (existsSync(mac) ? mac : undefined)
  );
}

/** chromedriver, or `undefined`. `CHROMEDRIVER` names another one. */
export function chromedriver() {
  return process.env.CHROMEDRIVER ?? which("chromedriver");
}

/** The Python that has the service's official SDKs. */
export const python = join(tools, "venv", "bin", "python");
