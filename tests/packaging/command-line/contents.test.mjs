// What is in the packed command line, and how large it is.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { LIMIT, packedSize, published, tarball } from "../../../scripts/build/package.mjs";
import { at } from "../../../scripts/paths.mjs";
import { workerConfig } from "../../../scripts/service/worker-config.mjs";

const folder = at("build", "webpubsub-edge");
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)))
  .sort();
const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));

test("the package has these files and no others", () => {
  const pages = readdirSync(at("build", "www"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".map"))
    .map(({ parentPath, name }) => path.relative(at("build"), path.join(parentPath, name)));
  const named = files.map((name) => name.replace(/-[A-Z0-9]{8}\.mjs$/, "-HASH.mjs"));
  assert.deepEqual(
    [...new Set(named)].filter((name) => !pages.includes(path.relative("build", name))),
    [
      "LICENSE-APACHE",
      "LICENSE-MIT",
      "README.md",
      "bin/webpubsub-edge.mjs",
      "build/worker/index.js",
      "build/worker/index_bg.wasm",
      "dist/authority-HASH.mjs",
      "dist/chunk-HASH.mjs",
      "dist/cli.mjs",
      "dist/dist-HASH.mjs",
      "dist/groups-node-HASH.mjs",
      "dist/index.mjs",
      "dist/inlined-HASH.mjs",
      "index.d.ts",
      "package.json",
      "wrangler.toml",
    ],
  );
  assert.ok(files.includes("build/www/index.html"));
});

test("the packed package is within its budget", () => {
  const size = packedSize();
  assert.ok(size !== undefined && size > 0 && size <= LIMIT, `${tarball} has ${size} bytes`);
});

test("the pages name commands as the package has them", () => {
  const pages = files.filter((name) => /^build\/www\/.*\.js$/.test(name));
  const text = pages.map((name) => readFileSync(path.join(folder, name), "utf8")).join("\n");
  assert.doesNotMatch(text, /npm (run|start)/);
  assert.match(text, /\$\(npx webpubsub-edge token --path /);
});

test("no file names a place on the machine that packed it", () => {
  for (const name of files) {
    const content = readFileSync(path.join(folder, name), "latin1");
    for (const place of [at(), homedir()]) assert.ok(!content.includes(place), `${name} names ${place}`);
  }
});

test("workerd is all that it is built on, in the tested version", () => {
  const { devDependencies, version } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  assert.deepEqual(manifest.dependencies, { workerd: devDependencies.workerd });
  assert.deepEqual(manifest.config, { wrangler: devDependencies.wrangler });
  assert.equal(manifest.version, version);
});

test("the template has the worker's configuration and versions", async () => {
  const text = readFileSync(at("packages", "template", "wrangler.jsonc"), "utf8").replaceAll(/^ *\/\/.*$/gm, "");
  const { main, name: _, base_dir, assets, ...config } = JSON.parse(text);
  const { main: ours, name: __, assets: ourAssets, ...expected } = JSON.parse(JSON.stringify(await workerConfig()));
  assert.deepEqual(config, expected);
  const inPackage = (file) => path.posix.join("node_modules", "webpubsub-edge", file);
  assert.deepEqual([main, base_dir], [inPackage(ours), path.posix.dirname(inPackage(ours))]);
  assert.deepEqual(assets, { ...ourAssets, directory: inPackage(ourAssets.directory) });
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(at("packages", "template", "package.json"), "utf8"),
  );
  assert.deepEqual(dependencies, { "webpubsub-edge": manifest.version });
  assert.deepEqual(devDependencies, manifest.config);
});

test("a release names its repository, for its provenance", () => {
  const { homepage, bugs, repository } = published(manifest, { GITHUB_REPOSITORY: "owner/name" });
  assert.deepEqual(
    { homepage, bugs, repository },
    {
      homepage: "https://github.com/owner/name#readme",
      bugs: { url: "https://github.com/owner/name/issues" },
      repository: {
        type: "git",
        url: "git+https://github.com/owner/name.git",
        directory: "packages/webpubsub-edge",
      },
    },
  );
  for (const field of ["description", "keywords", "license", "engines", "bin", "exports"])
    assert.ok(manifest[field], field);
});
