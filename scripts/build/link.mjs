#!/usr/bin/env node
// The linker for wasm32, but for exports that nothing calls: `cargo` runs it with the linker's
// arguments, and the linker's path in `WASM_LINKER`.
//
// Crates export classes to JavaScript whether or not anything makes one, and an export keeps
// everything that it uses.
import { spawnSync } from "node:child_process";

/** Classes of `worker` and `wasm-streams`. */
const UNUSED = /containerstartupoptions|intounderlying|minifyconfig|r2range/;

const args = process.argv.slice(2);
/** @param {number} at */
const isUnused = (at) => args[at] === "--export" && UNUSED.test(args[at + 1]);
const kept = args.filter((_, at) => !isUnused(at) && !isUnused(at - 1));
const linker = process.env.WASM_LINKER ?? "wasm-ld";
const { status, error } = spawnSync(linker, kept, { stdio: "inherit" });
if (error) console.error(`${linker}: ${error.message}`);
process.exitCode = status ?? 1;
