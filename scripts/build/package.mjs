// The npm package `webpubsub-edge`: the built worker, the pages and the command line, with no Rust and no dev tools.
//
// build/webpubsub-edge/                the package's folder, ready to publish
// build/webpubsub-edge-VERSION.tgz     the same, packed
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { at, build, root } from "../paths.mjs";
import { run } from "../processes.mjs";
import { Problem } from "../terminal.mjs";
import { filesUnder } from "./inputs.mjs";

const source = at("packages", "webpubsub-edge");
const folder = join(build, "webpubsub-edge");
const { version } = JSON.parse(readFileSync(at("package.json"), "utf8"));

/** How commands are typed that the pages name: in the repository, and with the package. */
const TYPED = [
  ["npm run -s token -- ", "npx webpubsub-edge token "],
  ["npm run -s connection-string", "npx webpubsub-edge connection-string"],
  ["npm start", "npx webpubsub-edge dev"],
];

/** The packed package. */
export const tarball = join(build, `webpubsub-edge-${version}.tgz`);

export const commandLine = {
  part: "package",
  title: "command line (the npm package webpubsub-edge)",
  inputs: () =>
    filesUnder(
      at("package.json"),
      at("package-lock.json"),
      at("wrangler.toml"),
      source,
      at("scripts"),
      ...["worker", "www", "client"].map((part) => join(build, part)),
    ),
  outputs: [tarball],

  async make() {
    const made = join(build, ".package");
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
    for (const name of ["bin", "index.d.ts", "README.md"])
      cpSync(join(source, name), join(made, name), { recursive: true });
    for (const name of readdirSync(root).filter((name) => name.startsWith("LICENSE-")))
      cpSync(at(name), join(made, name));
    cpSync(at("wrangler.toml"), join(made, "wrangler.toml"));
    for (const name of ["worker", "www"])
      cpSync(join(build, name), join(made, "build", name), {
        recursive: true,
        // A page's source maps are for those who change it.
        filter: (file) => !file.endsWith(".map"),
      });
    typeAsPackage(join(made, "build", "www"));
    const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
    writeFileSync(join(made, "package.json"), `${JSON.stringify(published(manifest), null, 2)}\n`);
    await bundle(made);
    await pack(made);
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  },
};

/**
 * The manifest with the repository's version and address; a fork's is its own. The latter is known where it is released.
 * @param {object} manifest
 * @param {NodeJS.ProcessEnv} [env]
 */
export function published(manifest, { GITHUB_REPOSITORY: repository, GITHUB_SERVER_URL: server } = process.env) {
  if (!repository) return { ...manifest, version };
  const home = `${server ?? "https://github.com"}/${repository}`;
  return {
    ...manifest,
    version,
    homepage: `${home}#readme`,
    bugs: { url: `${home}/issues` },
    repository: { type: "git", url: `git+${home}.git`, directory: "packages/webpubsub-edge" },
  };
}

/**
 * Has the pages name commands as they are typed with the package.
 * @param {string} www
 */
function typeAsPackage(www) {
  const scripts = filesUnder(www).filter((file) => file.endsWith(".js"));
  for (const [here, there] of TYPED) {
    const naming = scripts.filter((file) => readFileSync(file, "utf8").includes(here));
    if (naming.length === 0) throw new Problem(`No page says ${here}, which the package types as ${there}.`);
    for (const file of naming) writeFileSync(file, readFileSync(file, "utf8").replaceAll(here, there));
  }
}

/**
 * Bundles the scripts, with the package's own files in the place of those that know the repository.
 * @param {string} made
 */
async function bundle(made) {
  const esbuild = await import("esbuild");
  /** @type {Record<string, string>} */
  const own = { "paths.mjs": join(source, "src", "paths.mjs"), "typed.mjs": join(source, "src", "typed.mjs") };
  await esbuild.build({
    entryPoints: ["cli", "index"].map((name) => ({ in: join(source, "src", `${name}.mjs`), out: name })),
    outdir: join(made, "dist"),
    outExtension: { ".js": ".mjs" },
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node22",
    external: ["workerd"],
    legalComments: "none",
    logLevel: "warning",
    nodePaths: [at("node_modules")],
    plugins: [
      {
        name: "webpubsub-edge",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /\/(paths|typed)\.mjs$/ }, ({ path }) => ({ path: own[basename(path)] }));
          // What streams and states of groups need, which no command uses.
          onResolve({ filter: /^\.\/groups-node\.js$/ }, ({ path }) => ({ path, namespace: "left out" }));
          onLoad({ filter: /./, namespace: "left out" }, () => ({ contents: "" }));
          onResolve({ filter: /^@webpubsub-edge\/client$/ }, () => ({
            path: join(build, "client", "dist", "node.js"),
          }));
        },
      },
    ],
    // A package written for require() finds Node's own modules.
    banner: { js: 'import{createRequire as $r}from"node:module";const require=$r(import.meta.url);' },
  });
  // Most of it is libraries for certificates, half as large without their names.
  for (const name of readdirSync(join(made, "dist")).filter((name) => name.startsWith("authority-"))) {
    const file = join(made, "dist", name);
    const { code } = await esbuild.transform(readFileSync(file, "utf8"), { minify: true, legalComments: "none" });
    writeFileSync(file, code);
  }
}

/** @param {string} made */
async function pack(made) {
  const output = await run("npm", ["pack", "--json", "--ignore-scripts", "--offline", "--loglevel=error"], {
    cwd: made,
  });
  const [{ filename }] = JSON.parse(output);
  for (const name of readdirSync(build).filter((name) => /^webpubsub-edge-[\d.]+.*\.tgz$/.test(name)))
    rmSync(join(build, name));
  renameSync(join(made, basename(filename)), tarball);
}

/**
 * What the packed package may have, in bytes: the worker is 260 KB of it, the command line 180 KB, the pages and their
 * client 140 KB.
 */
export const LIMIT = 650_000;

/** How large it is, if it is there. */
export const packedSize = () => (existsSync(tarball) ? readFileSync(tarball).length : undefined);
