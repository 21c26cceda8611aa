// Makes the npm package: cargo → wasm-bindgen → wasm-opt → esbuild and tsc → npm pack.
//
// It runs in the environment of the root's scripts (`wasmEnv()` in `scripts/toolchain.mjs`), with
// esbuild, TypeScript and binaryen from the root's `node_modules`. Nothing is downloaded.
//
// build/client/                      the package's folder, ready to publish
// build/client/webpubsub-edge-client.tgz   the same, packed
// build/client/page-files.json       what a page downloads, relative to `build/client`
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import * as esbuild from "esbuild";

const npm = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(dirname(npm)));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target", "wasm");
const made = join(root, "build", "client");
/** What is made on the way, and the package until it is whole. */
const work = join(root, "build", ".client");
const out = join(work, "package");
const dist = join(out, "dist");

const wasm = core();
mkdirSync(dist, { recursive: true });
writeFileSync(join(dist, "core.wasm"), wasm);
await scripts();
types();
rest();
pack();
rmSync(made, { recursive: true, force: true });
renameSync(out, made);

/** Compiles the crate, and leaves its JavaScript, `core.js`, in the work folder. Gives the module. */
function core() {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const wasm32 = "wasm32-unknown-unknown";
  run("cargo", ["build", "--locked", "--profile", "client", "--target", wasm32, "--package", "webpubsub-client"], {
    CARGO_TARGET_DIR: target,
    // Panic messages name source files: not where these happen to lie on this machine.
    CARGO_ENCODED_RUSTFLAGS: [
      `--remap-path-prefix=${root}=`,
      `--remap-path-prefix=${process.env.CARGO_HOME ?? join(homedir(), ".cargo")}=cargo`,
      // With `opt-level = 2` this came out smaller than "z" and "s" did (22.5, 23.9 and 24.4 KB).
      "-Cllvm-args=-inline-threshold=0",
    ].join("\x1f"),
  });
  const compiled = join(target, wasm32, "client", "webpubsub_client.wasm");
  const bindgen = process.env.WASM_BINDGEN_BIN ?? "wasm-bindgen";
  run(bindgen, ["--target", "web", "--no-typescript", "--out-dir", work, "--out-name", "core", compiled]);
  // The last pass gives short names to what the module and its JavaScript have of each other, and
  // says which: wasm-bindgen's end in hashes, which do not compress.
  const names = run(process.env.WASM_OPT_BIN ?? join(root, "node_modules", ".bin", "wasm-opt"), [
    ...["-Oz", "--traps-never-happen", "--low-memory-unused"],
    ...["--strip-producers", "--strip-target-features", "--minify-imports-and-exports-and-modules"],
    ...[join(work, "core_bg.wasm"), "--output", join(work, "core.wasm")],
  ]);
  const glue = readFileSync(join(work, "core.js"), "utf8");
  writeFileSync(join(work, "core.js"), shorten(glue, JSON.parse(names)));
  return readFileSync(join(work, "core.wasm"));
}

/**
 * wasm-bindgen's JavaScript with the short names, and with `instantiate`, which takes a compiled
 * module, in place of its own ways to load one.
 */
function shorten(glue, { imports, exports }) {
  for (const [, name, short] of imports)
    glue = replaceOnce(glue, `\n        ${name}: function`, `\n        "${short}": function`);
  for (const [name, short] of exports)
    glue = glue.replaceAll(new RegExp(`\\bwasm\\.${name}\\b`, "g"), `wasm["${short}"]`);
  return `${glue}
export async function instantiate(module) {
  const instance = await WebAssembly.instantiate(module, { a: __wbg_get_imports()["./core_bg.js"] });
  __wbg_finalize_init(instance, module);
}
`;
}

function replaceOnce(text, from, to) {
  if (text.split(from).length !== 2) throw new Error(`wasm-bindgen's JavaScript has not exactly one ${from.trim()}`);
  return text.replace(from, () => to);
}

/** One script for each way in. */
async function scripts() {
  const inlined = deflateSync(wasm, { level: 9 }).toString("base64");
  const entry = async (
    name,
    { platform = name, format = "esm", file = `${name}.js`, source = "index.ts", minify = false } = {},
  ) => {
    await esbuild.build({
      entryPoints: [join(npm, "src", source)],
      outfile: join(dist, file),
      bundle: true,
      // Only pages download it. Elsewhere an error shows the line that it comes from.
      minify,
      sourcemap: true,
      format,
      target: "es2022",
      platform: platform === "node" ? "node" : "neutral",
      external: ["ws", "*/core.wasm", "*/core.wasm?module", "./inlined.js"],
      legalComments: "none",
      logLevel: "warning",
      plugins: [
        {
          name: "webpubsub",
          setup({ onResolve, onLoad }) {
            onResolve({ filter: /^#core$/ }, () => ({ path: join(work, "core.js") }));
            onResolve({ filter: /^#platform$/ }, () => ({ path: join(npm, "src", "platform", `${platform}.ts`) }));
            // A page has it in its one script. Elsewhere it lies beside the script.
            onResolve({ filter: /^#inlined$/ }, () =>
              minify ? { path: "inlined", namespace: "inlined" } : { path: "./inlined.js", external: true },
            );
            onLoad({ filter: /./, namespace: "inlined" }, () => ({ contents: inlined, loader: "text" }));
          },
        },
      ],
      ...(format === "cjs" && {
        define: { "import.meta.url": "here" },
        banner: { js: 'const here=require("node:url").pathToFileURL(__filename).href;' },
      }),
    });
    tidyMap(join(dist, `${file}.map`));
  };
  writeFileSync(join(dist, "inlined.js"), `export default "${inlined}";\n`);
  await Promise.all([
    entry("browser", { minify: true }),
    entry("web", { platform: "browser" }),
    entry("workerd"),
    entry("edge"),
    entry("slim", { source: "slim.ts", minify: true }),
    entry("node"),
    entry("node", { format: "cjs", file: "node.cjs" }),
    ...["server/index.ts", "react.ts"].flatMap((source) => [plain(source, "esm"), plain(source, "cjs")]),
  ]);
}

/** A script without WebAssembly of its own, for every platform. */
async function plain(source, format) {
  const file = `${source.replace(/(\/index)?\.ts$/, "")}.${format === "esm" ? "js" : "cjs"}`;
  await esbuild.build({
    entryPoints: [join(npm, "src", source)],
    outfile: join(dist, file),
    bundle: true,
    sourcemap: true,
    format,
    target: "es2022",
    platform: "neutral",
    external: ["react", "@webpubsub-edge/client"],
    legalComments: "none",
    logLevel: "warning",
  });
  tidyMap(join(dist, `${file}.map`));
}

/** Has a source map name its sources as the package would, with their text but for the WebAssembly's. */
function tidyMap(file) {
  const map = JSON.parse(readFileSync(file, "utf8"));
  map.sourcesContent = map.sourcesContent.map((text, at) => (map.sources[at].startsWith("inlined:") ? "" : text));
  const tidy = (source) => {
    if (source.startsWith("inlined:")) return "inlined/core.wasm";
    const own = /\/npm\/(src\/.*)$/.exec(source)?.[1];
    return own ?? `src/${basename(source)}`;
  };
  map.sources = map.sources.map((source) => `../${tidy(source)}`);
  writeFileSync(file, JSON.stringify(map));
}

/** Checks the TypeScript and writes its declarations, for `import` and for `require`. */
function types() {
  const typescript = join(root, "node_modules", "typescript", "bin", "tsc");
  run(process.execPath, [typescript, "--project", npm, "--outDir", dist]);
  // These are internal.
  const internal = ["incoming", "json", "kinds", "load", "outgoing", "payload", "reach", "refusal", "values"];
  for (const name of ["platform", ...internal.map((name) => `${name}.d.ts`)])
    rmSync(join(dist, name), { recursive: true, force: true });
  for (const file of readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
    const text = readFileSync(join(dist, file), "utf8").replaceAll(/(?<=from "\.\.?\/[\w/]+)\.js(?=")/g, ".cjs");
    writeFileSync(join(dist, file.replace(".d.ts", ".d.cts")), text);
  }
}

function rest() {
  for (const name of ["package.json", "README.md"]) cpSync(join(npm, name), join(out, name));
  for (const name of readdirSync(root).filter((name) => name.startsWith("LICENSE-")))
    cpSync(join(root, name), join(out, name));
}

function pack() {
  const [{ filename }] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--offline"], {}, out));
  renameSync(join(out, basename(filename)), join(out, "webpubsub-edge-client.tgz"));
  writeFileSync(join(out, "page-files.json"), `${JSON.stringify(["dist/browser.js"])}\n`);
}

/** Runs a command to its end and gives what it printed; its errors are seen as they come. */
function run(command, args, env = {}, cwd = root) {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (error) throw error;
  if (status !== 0) {
    process.stderr.write(stdout);
    process.exit(status ?? 1);
  }
  return stdout;
}
