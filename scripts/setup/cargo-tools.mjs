// wasm-bindgen, worker-build and wasm-pack, each of exactly the pinned version.
//
// One in PATH is used as it is. Otherwise a prebuilt one is downloaded where its release page is
// reached, and else the tool is built from its crate, without optimisation: they are used for
// fractions of a second, and building them takes minutes.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.mjs";
import { ask, run } from "../processes.mjs";
import { tools } from "../paths.mjs";
import { Problem } from "../terminal.mjs";
import { tool, toolFolder } from "../toolchain.mjs";
import { versions } from "../versions.mjs";
import { cargoProgress } from "./cargo-progress.mjs";

/** @import { Progress } from "../terminal.mjs" */

/** How long the release page may take to answer before the tool is built instead. */
const ANSWER_WITHIN_MS = 5_000;
const DOWNLOAD_WITHIN_MS = 120_000;

/** @import { Tool } from "../versions.mjs" */

/**
 * How a tool is had: from which crate, with which arguments of `cargo install`, and where a prebuilt one is.
 * @type {Record<Tool, { crate: string, args: string[], release?(version: string, platform: string): string }>}
 */
const recipes = {
  // The default features only add TLS to the test runner, which talks to a local chromedriver.
  "wasm-bindgen": {
    crate: "wasm-bindgen-cli",
    args: ["--no-default-features"],
    release: (version, platform) =>
      `https://github.com/wasm-bindgen/wasm-bindgen/releases/download/${version}/wasm-bindgen-${version}-${platform}.tar.gz`,
  },
  "worker-build": { crate: "worker-build", args: ["--bin", "worker-build"] },
  "wasm-pack": {
    crate: "wasm-pack",
    args: [],
    release: (version, platform) =>
      `https://github.com/wasm-bindgen/wasm-pack/releases/download/v${version}/wasm-pack-v${version}-${platform}.tar.gz`,
  },
};

/** @type {Record<string, string>} */
const platforms = {
  "linux-x64": "x86_64-unknown-linux-musl",
  "linux-arm64": "aarch64-unknown-linux-musl",
  "darwin-x64": "x86_64-apple-darwin",
  "darwin-arm64": "aarch64-apple-darwin",
};

/**
 * One of the tools, as something for the set-up to install.
 * @param {Tool} name
 */
export function cargoTool(name) {
  const version = versions[name];
  return {
    name: `${name} ${version}`,
    isThere: () => tool(name) !== undefined,
    /** @param {Progress} at */
    async install(at) {
      const made = join(tools, "tmp", `${name}-${version}`);
      rmSync(made, { recursive: true, force: true });
      mkdirSync(join(made, "bin"), { recursive: true });
      if (!(await download(name, made, at))) await compile(name, made, at);
      rmSync(toolFolder(name), { recursive: true, force: true });
      renameSync(made, toolFolder(name));
    },
  };
}

/**
 * @param {Tool} name
 * @param {string} made
 * @param {Progress} at
 */
async function download(name, made, at) {
  const platform = platforms[`${process.platform}-${process.arch}`];
  const url = platform && recipes[name].release?.(versions[name], platform);
  if (!url) return false;
  at("looking for a prebuilt one");
  try {
    const archive = join(made, "archive.tar.gz");
    writeFileSync(archive, await fetchWithin(url));
    await run("tar", ["-xzf", archive, "-C", join(made, "bin"), "--strip-components=1"]);
    rmSync(archive);
    return ask(join(made, "bin", name), ["--version"])?.includes(versions[name]) ?? false;
  } catch {
    return false;
  }
}

/** @param {string | URL | Request} url */
async function fetchWithin(url) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), ANSWER_WITHIN_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok) throw new Error(`${response.status} from ${url}`);
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), DOWNLOAD_WITHIN_MS);
    return Buffer.from(await response.arrayBuffer());
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Tool} name
 * @param {string} made
 * @param {Progress} at
 */
async function compile(name, made, at) {
  const { crate, args } = recipes[name];
  const install = ["install", crate, "--version", `=${versions[name]}`, ...args];
  const options = {
    env: {
      ...process.env,
      CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
      CARGO_PROFILE_RELEASE_LTO: "off",
      CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
      CARGO_PROFILE_RELEASE_PANIC: "unwind",
      // Kept until the set-up is done: an interrupted build goes on where it was.
      CARGO_TARGET_DIR: join(tools, "tmp", "target"),
      ...cargoProgress.env,
    },
    onOutput: cargoProgress(at),
  };
  const into = ["--root", made, "--force"];
  try {
    try {
      await run("cargo", [...install, "--locked", ...into], options);
    } catch (error) {
      // A registry mirror can lag behind what the tool's own lock file names.
      const output = error instanceof Problem ? error.output : undefined;
      if (!/failed to select a version/.test(output ?? "")) throw error;
      await run("cargo", [...install, ...into], options);
    }
  } catch (error) {
    throw new Problem(
      `${messageOf(error)}\n\n${name} ${versions[name]} could not be installed. To do it by hand:\n` +
        `  cargo ${install.join(" ")} --locked`,
    );
  }
}
