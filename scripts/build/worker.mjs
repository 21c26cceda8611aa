// The worker: Rust → wasm → `build/worker/{index.js,index_bg.wasm}`.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at, build, root } from "../paths.mjs";
import { run } from "../processes.mjs";
import { cargoProgress } from "../setup/cargo-progress.mjs";
import { Problem } from "../terminal.mjs";
import { neededTool, wasmEnv } from "../toolchain.mjs";
import { crateFolders, filesUnder } from "./inputs.mjs";
import { numberedLocals } from "./locals.mjs";
import { namedByLikeness } from "./order.mjs";
import { shortened } from "./wasm.mjs";

/** @import { Progress } from "../terminal.mjs" */

const folder = join(build, "worker");
const files = ["index.js", "index_bg.wasm"];
const entry = at("worker", "js", "entry.ts");

export const worker = {
  part: "worker",
  title: "worker (Rust to wasm)",
  inputs: () => {
    const crates = crateFolders("worker").flatMap((crate) => [join(crate, "Cargo.toml"), join(crate, "src")]);
    return filesUnder(at("Cargo.toml"), at("Cargo.lock"), at("worker", "js"), ...crates);
  },
  outputs: files.map((file) => join(folder, file)),

  /** @param {Progress} progress */
  async make(progress) {
    const staging = join(build, ".worker");
    await run(neededTool("worker-build"), ["--profile", "worker", "--out-dir", staging, "--", "--locked"], {
      cwd: at("worker"),
      // Rust's imports name files of `worker/js` from the root on, and esbuild looks for them there.
      env: { ...wasmEnv(), ...cargoProgress.env, NODE_PATH: root, RUST_BACKTRACE: "0" },
      onOutput: cargoProgress(progress),
      failure: "The worker's build",
    });
    await order(staging);
    await shorten(staging);
    // Only what runs, and the entry last: it is the one that a running service watches.
    mkdirSync(folder, { recursive: true });
    for (const file of [...files].reverse()) renameSync(join(staging, file), join(folder, file));
  },
};

/**
 * Puts like functions of the module beside each other, and numbers their locals alike: some 4 KB and 0.6 KB (gzipped)
 * less.
 * @param {string} staging
 */
async function order(staging) {
  const wasm = join(staging, "index_bg.wasm");
  writeFileSync(wasm, namedByLikeness(readFileSync(wasm)));
  await run(wasmEnv().WASM_OPT_BIN, [wasm, "-O0", "--reorder-functions-by-name", "-o", wasm]);
  writeFileSync(wasm, numberedLocals(readFileSync(wasm)));
}

/**
 * Puts the entry in front of what `worker-build` made, and gives short names to what the module and its
 * JavaScript have of each other: wasm-bindgen's end in hashes, which do not compress.
 * @param {string} staging
 */
async function shorten(staging) {
  const [script, wasm, names] = [...files, "names.json"].map((file) => join(staging, file));
  rmSync(names, { force: true });
  writeFileSync(script, withoutProxies(readFileSync(script, "utf8")));
  const args = [
    "--minify",
    "--mangle-props=^(__wb|wasm_bindgen__)",
    `--mangle-cache=${names}`,
    "--allow-overwrite",
    `--outfile=${script}`,
  ];
  const bundle = [
    "--bundle",
    "--format=esm",
    `--alias:worker-build=${script}`,
    "--external:cloudflare:*",
    "--external:*.wasm",
  ];
  // wasm-bindgen names the same JavaScript once for each function in it that needs no glue.
  await run(wasmEnv().ESBUILD_BIN, [
    entry,
    ...bundle,
    ...args,
    "--log-level=warning",
    "--log-override:duplicate-object-key=silent",
  ]);
  if (readFileSync(script, "utf8").includes("new Proxy("))
    throw new Problem("worker-build has written its proxies in another form: see withoutProxies.");
  writeFileSync(wasm, shortened(readFileSync(wasm), JSON.parse(readFileSync(names, "utf8"))));
}

/**
 * A script of `worker-build`'s with each class as wasm-bindgen made it: without the proxy around it that starts the
 * module over after a trap, which the entry does, and without what lets `using` free what it makes, which nothing does.
 * @param {string} script
 */
function withoutProxies(script) {
  return script
    .replaceAll(/=new Proxy\(([\w$]+),[\w$]+\)/g, "=$1")
    .replaceAll(/Symbol\.dispose&&\(([\w$]+)\.prototype\[Symbol\.dispose\]=\1\.prototype\.free\);/g, "");
}
