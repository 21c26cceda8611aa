#!/usr/bin/env node
// The linker for wasm32, but for exports that nothing calls: `cargo` runs it with the linker's
// arguments, and the linker's path in `WASM_LINKER`.
//
// Crates export classes to JavaScript whether or not anything makes one, and an export keeps
// everything that it uses. They also export a description of each function that they might import;
// wasm-bindgen runs those and removes them, but not what they name. So it is linked twice: the module
// of the first time imports what code calls, and only that is described the second time.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { imports } from "./wasm.mjs";

/** Classes of `worker` and `wasm-streams`. */
const UNUSED = /containerstartupoptions|intounderlying|minifyconfig|r2range/;
/** What describes a function that might be imported, with the import's name. */
const DESCRIPTION = /^__wbindgen_describe_(__wbg_(?!dynamic_union_).*)$/;

const args = process.argv.slice(2);
process.exitCode = link(() => false);
if (process.exitCode === 0) {
  const all = args.flatMap((arg) => (isFile(arg) ? argsIn(arg) : [arg]));
  const module = readFileSync(all[all.indexOf("-o") + 1]);
  const called = new Set(imports(module).map((name) => name.split(".")[1]));
  process.exitCode = link((name) => called.has(name));
}

/**
 * Links with the exports that are used. Returns the linker's exit code.
 * @param {(name: string) => boolean} isCalled whether an import is called, which is described then
 */
function link(isCalled) {
  const isUsed = (/** @type {string} */ name) => {
    const described = DESCRIPTION.exec(name)?.[1];
    return !UNUSED.test(name) && (described === undefined || isCalled(described));
  };
  const kept = (/** @type {string[]} */ args) => {
    const isUnused = (/** @type {number} */ at) => args[at] === "--export" && !isUsed(args[at + 1]);
    return args.filter((_, at) => !isUnused(at) && !isUnused(at - 1));
  };
  const given = kept(args).map((arg) => (isFile(arg) ? fileOf(kept(argsIn(arg)), `${arg.slice(1)}.kept`) : arg));
  const linker = process.env.WASM_LINKER ?? "wasm-ld";
  const { status, error } = spawnSync(linker, given, { stdio: "inherit" });
  if (error) console.error(`${linker}: ${error.message}`);
  return status ?? 1;
}

/**
 * Whether an argument names a response file, in which others stand: rustc writes one where the system takes no more of
 * them, one a line, with a backslash before each backslash and blank.
 * @param {string} arg
 */
function isFile(arg) {
  return arg.startsWith("@");
}

/**
 * The arguments in a response file.
 * @param {string} arg
 */
function argsIn(arg) {
  const lines = readFileSync(arg.slice(1), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => line.replaceAll(/\\(.)/g, "$1"));
}

/**
 * Writes a response file. Returns the argument that names it.
 * @param {string[]} args
 * @param {string} file
 */
function fileOf(args, file) {
  writeFileSync(file, args.map((arg) => `${arg.replaceAll(/[\\ ]/g, "\\$&")}\n`).join(""));
  return `@${file}`;
}
