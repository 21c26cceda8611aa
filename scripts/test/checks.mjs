// Rules about the tree and the build that no other tool knows.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { filesUnder } from "../build/inputs.mjs";
import { imports } from "../build/wasm.mjs";
import { at, build, root } from "../paths.mjs";
import { Problem } from "../terminal.mjs";

/** The crates that hold the rules: no browser, no platform, no runtime. */
export const pureCrates = [
  "webpubsub-protocol",
  "webpubsub-mqtt",
  "webpubsub-auth",
  "webpubsub-shard",
  "webpubsub-service",
  "webpubsub-store",
  "webpubsub-client-core",
];

const IMPURE =
  /^(?:wasm-bindgen[a-z-]*|web-sys|js-sys|serde-wasm-bindgen|console_error_panic_hook|worker|gloo[a-z-]*|tokio|async-std|smol|futures-executor)\b/gm;

/** The pure crates name nothing of a platform in their manifests. */
export function checkPureCrates() {
  const wrong = pureCrates.flatMap((crate) => {
    const names = readFileSync(at("crates", crate, "Cargo.toml"), "utf8").match(IMPURE) ?? [];
    return names.map(
      (name) => `crates/${crate}/Cargo.toml names ${name}, which belongs in a shell (worker or webpubsub-client).`,
    );
  });
  if (wrong.length > 0) throw new Problem(wrong.join("\n"));
}

/** JavaScript stands in files of its own, where it is type-checked, linted and tested, and not in Rust's strings. */
export function checkInlineJavaScript() {
  const wrong = filesUnder(at("worker", "src"), at("crates"))
    .filter((file) => file.endsWith(".rs") && readFileSync(file, "utf8").includes("inline_js"))
    .map((file) => relative(root, file));
  const problems = wrong.map((file) => `${file} has JavaScript in a string, which belongs in worker/js.`);
  if (problems.length > 0) throw new Problem(problems.join("\n"));
}

/** The worker's wasm asks for nothing that the platform does not give: an `env` import is a C library's. */
export function checkWorkerImports() {
  const wrong = imports(readFileSync(join(build, "worker", "index_bg.wasm"))).filter((name) => name.startsWith("env."));
  if (wrong.length > 0)
    throw new Problem(
      `The worker's wasm imports ${wrong.join(", ")}: a dependency is not made for wasm32-unknown-unknown.`,
    );
}

/**
 * No service panicked while it was tested.
 * @param {string} folder
 */
export function checkLogs(folder) {
  if (!existsSync(folder)) return;
  const panics = readdirSync(folder).flatMap((name) => {
    const lines = readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((line) => line.includes("panicked at"));
    return lines.map((line) => `${name}: ${line.trim()}`);
  });
  if (panics.length > 0) throw new Problem(`The service panicked:\n${panics.join("\n")}`);
}
