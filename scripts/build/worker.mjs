// The worker: Rust → wasm → `build/worker/{index.js,index_bg.wasm}`.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at, build } from "../paths.mjs";
import { run } from "../processes.mjs";
import { cargoProgress } from "../setup/cargo-progress.mjs";
import { tool, wasmEnv } from "../toolchain.mjs";
import { crateFolders, filesUnder } from "./inputs.mjs";
import { withoutNames } from "./wasm.mjs";

const folder = join(build, "worker");
const files = ["index.js", "index_bg.wasm"];

export const worker = {
  part: "worker",
  title: "worker (Rust to wasm, release)",
  inputs: () => filesUnder(at("Cargo.toml"), at("Cargo.lock"), ...crateFolders("worker").flatMap((crate) => [join(crate, "Cargo.toml"), join(crate, "src")])),
  outputs: files.map((file) => join(folder, file)),

  async make(progress) {
    const staging = join(build, ".worker");
    await run(tool("worker-build"), ["--release", "--out-dir", staging, "--", "--locked"], {
      cwd: at("worker"),
      env: { ...wasmEnv(), ...cargoProgress.env, RUST_BACKTRACE: "0" },
      onOutput: cargoProgress(progress),
      failure: "The worker's build",
    });
    const wasm = join(staging, "index_bg.wasm");
    writeFileSync(wasm, withoutNames(readFileSync(wasm)));
    // Only what runs, and the entry last: it is the one that a running service watches.
    mkdirSync(folder, { recursive: true });
    for (const file of [...files].reverse()) renameSync(join(staging, file), join(folder, file));
  },
};
