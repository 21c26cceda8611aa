// Builds the page: cargo, and then wasm-bindgen of the version that the project pins.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../scripts/processes.mjs";
import { WASM, neededTool, wasmEnv } from "../../scripts/toolchain.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

export async function build() {
  // Its crates are its own. The set-up has fetched them: cargo asks no network.
  const env = { ...wasmEnv(), CARGO_TARGET_DIR: join(here, "target") };
  const options = { cwd: here, env, echo: true };
  await run("cargo", ["build", "--locked", "--release", "--target", WASM], options);
  const wasm = `target/${WASM}/release/example_rust_chat.wasm`;
  await run(neededTool("wasm-bindgen"), ["--target", "web", "--out-dir", "built", "--out-name", "chat", wasm], options);
}
