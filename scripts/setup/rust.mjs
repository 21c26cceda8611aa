// Rust itself, and the crates of Cargo.lock.
import { messageOf } from "../errors.mjs";
import { ask, run, which } from "../processes.mjs";
import { at, root } from "../paths.mjs";
import { Problem, say, step } from "../terminal.mjs";
import { atLeast, minimumRust, pinnedRust } from "../versions.mjs";

/** Makes sure that there is a Rust that will do. Without rustup that is the one in PATH. */
export async function checkRust() {
  if (which("rustup") && !process.env.RUSTUP_TOOLCHAIN) await usePinned(pinnedRust());
  const version = versionOf("rustc", ["--version"]);
  const wanted = minimumRust();
  if (!version) {
    throw new Problem(`Rust is missing. Install it from https://rustup.rs, then run this again.`);
  }
  if (!atLeast(version, wanted)) {
    throw new Problem(`Rust ${wanted} or newer is needed and this is ${version}. Run: rustup update`);
  }
}

/**
 * Has rustup install the toolchain of `rust-toolchain.toml` where it is missing. Where that cannot be downloaded, rustup's
 * default toolchain takes its place in this command and in all that it starts, if it is new enough.
 * @param {string} pinned
 */
async function usePinned(pinned) {
  if (versionWithRustup(pinned)) return;
  const components = ["clippy", "rustfmt"].flatMap((name) => ["--component", name]);
  try {
    await step(`Rust ${pinned}`, () =>
      run("rustup", ["toolchain", "install", pinned, "--profile", "minimal", ...components]),
    );
  } catch (error) {
    const [usual] = ask("rustup", ["default"])?.split(" ") ?? [];
    const version = usual && versionWithRustup(usual);
    if (!version || !atLeast(version, minimumRust())) {
      throw new Problem(
        `Rust ${pinned} is missing and could not be installed. Run: rustup toolchain install ${pinned}\n${messageOf(error)}`,
      );
    }
    process.env.RUSTUP_TOOLCHAIN = usual;
    say(
      `Rust ${pinned}, which rust-toolchain.toml names, could not be installed: going on with ${usual} (${version}).`,
    );
  }
}

/**
 * @param {string} program
 * @param {string[]} args
 */
const versionOf = (program, args) => ask(program, args)?.split(" ")[1];
/** @param {string} toolchain */
const versionWithRustup = (toolchain) => versionOf("rustup", ["run", toolchain, "rustc", "--version"]);

/**
 * The crates of a folder's Cargo.lock, after which cargo needs no network.
 * @param {string} name
 * @param {string} cwd
 */
const cratesOf = (name, cwd) => ({
  name,
  isThere: () => ask("cargo", ["fetch", "--locked", "--offline"], { cwd }) !== undefined,
  install: () => run("cargo", ["fetch", "--locked"], { cwd }),
});

export const crates = cratesOf("Rust crates", root);

/** Of the example that is a workspace of its own. */
export const exampleCrates = cratesOf("Rust crates of an example", at("examples", "rust-chat"));
