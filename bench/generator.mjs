// The load generator: a program in Rust, built from `bench/load`.
import { root } from "../scripts/paths.mjs";
import { run } from "../scripts/processes.mjs";
import { Problem, step } from "../scripts/terminal.mjs";
import { nativeEnv } from "../scripts/toolchain.mjs";

/**
 * Builds the load generator; the path of the program. `ahead` of who needs it that is done without a word, and with what
 * others leave of the machine.
 */
export async function buildGenerator({ ahead = false } = {}) {
  const args = [
    "build",
    "--locked",
    "--profile",
    "bench",
    "-p",
    "webpubsub-load",
    "--message-format",
    "json-render-diagnostics",
  ];
  const make = () => run("cargo", args, { cwd: root, env: nativeEnv(), isModest: ahead });
  const output = await (ahead ? make() : step("Building the load generator", make));
  /** @type {{ executable?: string | null }[]} */
  const built = output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
  const program = built.find(({ executable }) => executable)?.executable;
  if (!program) throw new Problem("cargo did not say where the load generator is.");
  return program;
}
