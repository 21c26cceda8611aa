// The npm package: `build/client/`, made by the package's own script.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { at, build } from "../paths.mjs";
import { run } from "../processes.mjs";
import { cargoProgress } from "../setup/cargo-progress.mjs";
import { wasmEnv } from "../toolchain.mjs";
import { crateFolders, filesUnder } from "./inputs.mjs";

/** @import { Progress } from "../terminal.mjs" */

const folder = join(build, "client");
const script = at("crates", "webpubsub-client", "npm", "build.mjs");
const list = join(folder, "page-files.json");

export const client = {
  part: "client",
  title: "client (the npm package)",
  inputs: () =>
    filesUnder(
      at("Cargo.toml"),
      at("Cargo.lock"),
      at("package-lock.json"),
      ...["crates/webpubsub-client", "crates/webpubsub-client-protobuf"]
        .flatMap(crateFolders)
        .flatMap((crate) => [join(crate, "Cargo.toml"), join(crate, "src"), join(crate, "npm")]),
    ),
  outputs: [list],

  /** @param {Progress} progress */
  async make(progress) {
    await run(process.execPath, [script], {
      cwd: at(),
      env: { ...wasmEnv(), ...cargoProgress.env },
      onOutput: cargoProgress(progress),
      failure: "The client's build",
    });
  },
};

/**
 * The files that a page downloads, the one that it imports first, relative to `build/client`.
 * @returns {string[]}
 */
export function pageFiles() {
  return existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : [];
}
