// The page: `www/` bundled, and the client that it uses, together in `build/www/`.
//
// build/www/                what `www/` has beside sources
// build/www/app/            scripts and style sheet, bundled; what a QR code and MQTT need is loaded when it is first used
// build/www/client/         the client package as a page loads it
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { at, build } from "../paths.mjs";
import { pageFiles } from "./client.mjs";
import { filesUnder } from "./inputs.mjs";

const folder = join(build, "www");
const app = join(folder, "app");

export const www = {
  part: "www",
  title: "page",
  inputs: () => [
    at("package.json"),
    at("package-lock.json"),
    ...filesUnder(at("www"), at("crates", "webpubsub-client", "npm", "src", "server", "jwt.js")),
    ...copied().map(([from]) => from),
  ],
  outputs: [folder],

  async make() {
    mkdirSync(folder, { recursive: true });
    const wanted = new Set();
    /**
     * @param {string} to
     * @param {Buffer} content
     */
    const write = (to, content) => {
      wanted.add(to);
      // Files that are the same stay untouched: a running service watches them.
      if (existsSync(to) && readFileSync(to).equals(content)) return;
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, content);
    };
    for (const [from, to] of copied()) write(to, readFileSync(from));
    for (const { path, contents } of await bundled()) write(path, Buffer.from(contents));
    for (const file of filesUnder(folder)) if (!wanted.has(file)) rmSync(file);
    removeEmptyFolders(folder);
  },
};

/** Scripts and style sheets of the page, as they were built last. */
export const appFiles = () => filesUnder(app).filter((file) => /\.(?:js|css)$/.test(file));

async function bundled() {
  // It is there once the set-up is done, and not before.
  const { build: bundle } = await import("esbuild");
  const { outputFiles } = await bundle({
    entryPoints: [at("www", "src", "main.js"), at("www", "style", "style.css")],
    entryNames: "[name]",
    chunkNames: "[name]-[hash]",
    outdir: app,
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: "linked",
    // The licenses of what is in a bundle stay with it.
    legalComments: "eof",
    // The client lies beside the bundles, and is the package's own build.
    external: ["/client/*"],
    define: { WEBPUBSUB_EDGE_VERSION: JSON.stringify(JSON.parse(readFileSync(at("package.json"), "utf8")).version) },
    logLevel: "warning",
  });
  return outputFiles;
}

/** Pairs of a file that is copied and its place in `build/www`. */
function copied() {
  const own = filesUnder(at("www"))
    .map((file) => [file, relative(at("www"), file)])
    .filter(([, path]) => !/^(?:src|style)[\\/]/.test(path))
    .map(([file, path]) => [file, join(folder, path)]);
  return [...own, ...clientFiles().flatMap(withMap)];
}

/** The client's files: its first one as `index.js`, protobuf as `protobuf.js`, the others under their own names. */
function clientFiles() {
  const files = pageFiles().map((file, index) => [file, index === 0 ? "index.js" : basename(file)]);
  const later = [
    ["dist/groups-browser.js", "groups-browser.js"],
    ["dist/protobuf-browser.js", "protobuf.js"],
  ];
  const taken = new Set(files.map(([file]) => file));
  return [...files, ...later.filter(([file]) => !taken.has(file))];
}

/** @param {string[]} pair A file of the client, and its name. */
function withMap([file, name]) {
  const from = join(build, "client", file);
  const map = `${from}.map`;
  return [
    [from, join(folder, "client", name)],
    ...(existsSync(map) ? [[map, join(folder, "client", `${basename(file)}.map`)]] : []),
  ];
}

/** @param {string} parent */
function removeEmptyFolders(parent) {
  for (const entry of readdirSync(parent, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const child = join(parent, entry.name);
    removeEmptyFolders(child);
    if (readdirSync(child).length === 0) rmSync(child, { recursive: true });
  }
}
