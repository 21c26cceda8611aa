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
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import binaryen from "binaryen";
import * as esbuild from "esbuild";
import { pack as packed } from "./pack.mjs";

const npm = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(dirname(npm)));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target", "wasm");
const made = join(root, "build", "client");
/** What is made on the way, and the package until it is whole. */
const work = join(root, "build", ".client");
const out = join(work, "package");
const dist = join(out, "dist");

rmSync(work, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
/** The functions of Rust's library and of wasm-bindgen that do nothing but panic. */
const PANICS =
  /^<?(?:core|std|alloc|__rustc|wasm_bindgen)(?:\[|::)(?:.*::)?(?:panicking::|panic_|unwrap_failed|expect_failed|assert_failed|capacity_overflow|handle_error|handle_alloc_error|rust_begin_unwind|rust_oom|slice_\w+_fail|throw_str|throw_null|borrow_fail)/;
/** What those say, and where they say that it is: once they are traps, nothing reads it. */
const WORDS_OF_PANICS =
  /(?:(?:\/rustc\/[0-9a-f]{40}|rust)\/library|crates)\/[\w./-]+?\.rs|attempted to take ownership of Rust value while it was borrowed|null pointer passed to rust|recursive use of an object detected which would lead to unsafe aliasing in rust|capacity overflow|attempt to divide by zero|removal index \(is |\) should be < len \(is /g;
/** What wasm-bindgen exports for its own JavaScript, and ours has no use for. */
const UNUSED_EXPORTS = ["__wbindgen_realloc"];
/** Functions of wasm-bindgen's JavaScript, shorter: strings that cross are few, and names. */
const SHORTER = {
  getDataViewMemory0: `function getDataViewMemory0() {
    return new DataView(wasm.memory.buffer);
}
`,
  getUint8ArrayMemory0: `function getUint8ArrayMemory0() {
    return new Uint8Array(wasm.memory.buffer);
}
`,
  decodeText: `function decodeText(bytes) {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
`,
  passStringToWasm0: `function passStringToWasm0(text, malloc) {
    const bytes = new TextEncoder().encode(text);
    const ptr = malloc(bytes.length, 1) >>> 0;
    getUint8ArrayMemory0().set(bytes, ptr);
    WASM_VECTOR_LEN = bytes.length;
    return ptr;
}
`,
};

/**
 * What a page's script calls of itself, and of its WebAssembly, by names that nothing else has: they become short. What
 * is called from another script is not among them.
 */
const INTERNAL = new RegExp(
  `^(?:${[
    ...[
      "__wbg_ptr",
      "input",
      "option",
      "output",
      "operate",
      "invoke",
      "listeners",
      "fetchUrl",
      "beginning",
      "areThere",
      "rejectAll",
    ],
  ].join("|")})$`,
);

/** The modules of WebAssembly: their names in the package, and the crates that they are made of. */
const modules = {
  core: "webpubsub-client",
  groups: "webpubsub-client-groups",
  protobuf: "webpubsub-client-protobuf",
};
const wasm = {};
for (const [name, crate] of Object.entries(modules)) {
  wasm[name] = compile(name, crate);
  writeFileSync(join(dist, `${name}.wasm`), wasm[name]);
}
await scripts();
types();
folders();
rest();
pack();
rmSync(made, { recursive: true, force: true });
renameSync(out, made);

/** Compiles a crate, and leaves its JavaScript in the work folder. Gives the module. */
function compile(name, crate) {
  const wasm32 = "wasm32-unknown-unknown";
  run("cargo", ["build", "--locked", "--profile", "client", "--target", wasm32, "--package", crate], {
    CARGO_TARGET_DIR: target,
    // Panic messages name source files: not where these happen to lie on this machine.
    CARGO_ENCODED_RUSTFLAGS: [
      `--remap-path-prefix=${root}=`,
      // With `opt-level = 2` this came out smaller than "z" and "s" did (22.5, 23.9 and 24.4 KB).
      "-Cllvm-args=-inline-threshold=0",
      // As for the worker: see `scripts/toolchain.mjs`.
      ...(process.env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS?.split(" ") ?? []),
    ].join("\x1f"),
  });
  const compiled = join(target, wasm32, "client", `${crate.replaceAll("-", "_")}.wasm`);
  const bindgen = process.env.WASM_BINDGEN_BIN ?? "wasm-bindgen";
  run(bindgen, ["--target", "web", "--no-typescript", "--out-dir", work, "--out-name", name, compiled]);
  const bound = join(work, `${name}_bg.wasm`);
  writeFileSync(bound, withoutPanics(readFileSync(bound)));
  // The last pass gives short names to what the module and its JavaScript have of each other, and
  // says which: wasm-bindgen's end in hashes, which do not compress.
  const names = run(process.env.WASM_OPT_BIN ?? join(root, "node_modules", ".bin", "wasm-opt"), [
    ...["-Os", "-Oz", "--low-memory-unused"],
    ...["--strip-producers", "--strip-target-features", "--minify-imports-and-exports-and-modules"],
    ...[bound, "--output", join(work, `${name}.wasm`)],
  ]);
  const glue = readFileSync(join(work, `${name}.js`), "utf8");
  writeFileSync(join(work, `${name}.js`), shorten(glue, name, JSON.parse(names)));
  return readFileSync(join(work, `${name}.wasm`));
}

/**
 * The module with a trap in the place of whatever words a panic: a bug of ours still ends the module,
 * but no page downloads the words for it and all the formatting that they take.
 */
function withoutPanics(bytes) {
  const module = binaryen.readBinary(bytes);
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(index)),
  );
  for (const { name, base, params, results } of functions) {
    if (base || !PANICS.test(name)) continue;
    module.removeFunction(name);
    module.addFunction(name, params, results, [], module.unreachable());
  }
  for (const name of UNUSED_EXPORTS) module.removeExport(name);
  binaryen.setDebugInfo(true);
  const result = Buffer.from(module.emitBinary());
  module.dispose();
  for (const { 0: words, index } of result.toString("latin1").matchAll(WORDS_OF_PANICS))
    result.fill(0, index, index + words.length);
  return result;
}

/**
 * wasm-bindgen's JavaScript with the short names, and without what no platform of today needs: its own ways to load a
 * module, of which `instantiate` takes the place, ways around what old browsers lack, and `free`, which nothing calls.
 */
function shorten(glue, file, { imports, exports }) {
  for (const [, name, short] of imports)
    glue = replaceOnce(glue, `\n        ${name}: function`, `\n        "${short}": function`);
  // What the module turned out not to import has a long name still.
  glue = glue.replaceAll(/\n {8}__wb\w+: function\([^]*?\n {8}\},/g, "");
  glue = glue.replaceAll(/, wasm\.__wbindgen_realloc\b/g, "");
  glue = glue.replace(/\nlet cachedTextDecoder = [^]*?(?=\nfunction decodeText\()/, "");
  glue = glue.replace(/\nconst cachedTextEncoder = [^]*?(?=\nlet WASM_VECTOR_LEN\b)/, "");
  for (const [name, text] of Object.entries(SHORTER)) glue = replaceFunction(glue, name, text);
  for (const [name, short] of exports)
    glue = glue.replaceAll(new RegExp(`\\bwasm\\.${name}\\b`, "g"), `wasm["${short}"]`);
  glue = glue.replaceAll(/\n {4}(?:__destroy_into_raw|free)\(\) \{[^]*?\n {4}\}/g, "");
  glue = glue.replaceAll(/\nif \(Symbol\.dispose\) .*/g, "");
  glue = glue.slice(0, glue.indexOf("\nlet wasmModule, wasmInstance, wasm;"));
  const start = exports.find(([name]) => name === "__wbindgen_start");
  const exported = Array.from(glue.matchAll(/\nexport (?:class|function) (\w+)/g), ([, name]) => name);
  return `${glue}
let wasm;
export async function instantiate(module) {
  const instance = await WebAssembly.instantiate(module, { a: __wbg_get_imports()["./${file}_bg.js"] });
  wasm = instance.exports;
  ${start ? `wasm["${start[1]}"]();` : ""}
  return { ${exported.join(", ")} };
}
`;
}

function replaceFunction(glue, name, text) {
  const start = glue.indexOf(`\nfunction ${name}(`);
  if (start < 0) return glue;
  return `${glue.slice(0, start + 1)}${text}${glue.slice(glue.indexOf("\n}\n", start) + 3)}`;
}

function replaceOnce(text, from, to) {
  if (text.split(from).length !== 2) throw new Error(`wasm-bindgen's JavaScript has not exactly one ${from.trim()}`);
  return text.replace(from, () => to);
}

/** One script for each way in. */
async function scripts() {
  const groups = { source: join("groups", "index.ts"), of: "groups" };
  const inlined = Object.fromEntries(Object.entries(wasm).map(([name, bytes]) => [name, packed(bytes)]));
  const entry = async (
    name,
    { platform = name, format = "esm", file = `${name}.js`, source = "index.ts", minify = false, of = "core" } = {},
  ) => {
    await esbuild.build({
      entryPoints: [join(npm, "src", source)],
      outfile: join(dist, file),
      bundle: true,
      // Only pages download it. Elsewhere an error shows the line that it comes from.
      minify,
      mangleProps: minify && source !== groups.source ? INTERNAL : undefined,
      sourcemap: true,
      format,
      target: "es2022",
      platform: platform === "node" ? "node" : "neutral",
      external: ["./*-inlined.js", "./inlined.js"],
      define: {
        WASM_FILE: JSON.stringify(`${of}.wasm`),
        ...(format === "cjs" && { "import.meta.url": "here" }),
      },
      legalComments: "none",
      logLevel: "warning",
      plugins: [
        {
          name: "webpubsub",
          setup({ onResolve, onLoad }) {
            onResolve({ filter: /^#core$/ }, () => ({ path: join(work, `${of}.js`) }));
            // What streams and states need lies beside the script, too, and is loaded when it is used.
            onResolve({ filter: /^#groups$/ }, () => ({
              path: `./groups-${platform === "slim" ? "browser" : platform}.js`,
              external: true,
            }));
            onResolve({ filter: /core\.wasm/ }, ({ path }) => ({ path: path.replace("core", of), external: true }));
            // What makes no sockets needs no `ws`.
            onResolve({ filter: /^ws$/ }, () => ({ path: "ws", external: true, sideEffects: false }));
            onResolve({ filter: /^#platform$/ }, () => ({ path: join(npm, "src", "platform", `${platform}.ts`) }));
            // A page has it in its one script. Elsewhere it lies beside the script.
            onResolve({ filter: /^#inlined$/ }, () =>
              minify
                ? { path: "inlined", namespace: "inlined" }
                : { path: of === "core" ? "./inlined.js" : `./${of}-inlined.js`, external: true },
            );
            onLoad({ filter: /./, namespace: "inlined" }, () => ({ contents: inlined[of], loader: "text" }));
          },
        },
      ],
      ...(format === "cjs" && {
        banner: { js: 'const here=require("node:url").pathToFileURL(__filename).href;' },
      }),
    });
    tidyMap(join(dist, `${file}.map`));
  };
  for (const [name, text] of Object.entries(inlined))
    writeFileSync(join(dist, name === "core" ? "inlined.js" : `${name}-inlined.js`), `export default "${text}";\n`);
  const protobuf = { source: "protobuf.ts", of: "protobuf" };
  await Promise.all([
    entry("browser", { minify: true }),
    entry("web", { platform: "browser" }),
    entry("workerd"),
    entry("edge"),
    entry("slim", { source: "slim.ts", minify: true }),
    entry("node"),
    entry("node", { format: "cjs", file: "node.cjs" }),
    ...["browser", "workerd", "edge", "node"].map((name) =>
      entry(name, { file: `groups-${name}.js`, ...groups, minify: name === "browser" }),
    ),
    ...["server/index.ts", "react.ts"].flatMap((source) => [plain(source, "esm"), plain(source, "cjs")]),
    ...[
      ["browser", { minify: true }],
      ["web", { platform: "browser" }],
      ["workerd"],
      ["edge"],
      ["node"],
      ["node", { format: "cjs", file: "protobuf-node.cjs" }],
    ].map(([name, options]) => entry(name, { file: `protobuf-${name}.js`, ...protobuf, ...options })),
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
  const internal = [
    ...[
      "allowance",
      "calls",
      "driver",
      "incoming",
      "inputs",
      "json",
      "kinds",
      "lazy",
      "listeners",
      "load",
      "outgoing",
      "outputs",
    ],
    ...["payload", "reach", "refusal", "settings", "sockets", "unpack", "values"],
  ];
  for (const name of ["groups", "platform", ...internal.map((name) => `${name}.d.ts`)])
    rmSync(join(dist, name), { recursive: true, force: true });
  for (const file of readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
    const text = readFileSync(join(dist, file), "utf8").replaceAll(/(?<=from "\.\.?\/[\w/]+)\.js(?=")/g, ".cjs");
    writeFileSync(join(dist, file.replace(".d.ts", ".d.cts")), text);
  }
}

/**
 * A folder for each module beside the package's own, with the place of its script: what does not read `exports`, which is
 * Parcel by default and TypeScript's `node10`, finds modules by their paths.
 */
function folders() {
  const both = (name, types = name) => ({
    main: `../dist/${name}.cjs`,
    module: `../dist/${name}.js`,
    types: `../dist/${types}.d.cts`,
  });
  const places = {
    protobuf: {
      main: "../dist/protobuf-node.cjs",
      browser: "../dist/protobuf-browser.js",
      types: "../dist/protobuf.d.cts",
    },
    react: both("react"),
    server: both("server", "server/index"),
    slim: { type: "module", main: "../dist/slim.js", types: "../dist/slim.d.ts" },
  };
  for (const [name, place] of Object.entries(places)) {
    mkdirSync(join(out, name));
    writeFileSync(join(out, name, "package.json"), `${JSON.stringify({ ...place, sideEffects: false }, null, 2)}\n`);
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
