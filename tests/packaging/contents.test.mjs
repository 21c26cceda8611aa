// What is in the package, and how much of it a page downloads.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Project, root } from "./project.mjs";

/**
 * What a page may download, in bytes after gzip: see the package's README. Node's makes a little more of it than others do
 * (`findings/node-gzip-is-not-zlibs.sh`).
 */
const BUDGET = 22_000;

test("a page downloads less than the budget", () => {
  const folder = path.join(root, "build", "client");
  const files = JSON.parse(readFileSync(path.join(folder, "page-files.json"), "utf8"));
  const sizes = files.map((file) => gzipSync(readFileSync(path.join(folder, file)), { level: 9 }).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total > 0 && total <= BUDGET, `${total} bytes`);
});

test("the package holds what it says, and nothing of its maker", async (t) => {
  const project = await Project.install(t);
  const folder = project.path("node_modules/@webpubsub-edge/client");
  const { exports, main, types } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const targets = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry).flatMap(targets));
  for (const file of [...targets(exports), main, types])
    assert.ok(readFileSync(path.join(folder, file)).length > 0, file);
  for (const branch of Object.values(exports["."])) {
    for (const leaf of "import" in branch ? [branch.import, branch.require] : [branch]) {
      assert.equal(Object.keys(leaf)[0], "types");
    }
  }
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.some(({ name }) => name === "README.md"));
  assert.ok(files.some(({ name }) => name === "LICENSE-MIT"));
  for (const { parentPath, name } of files) {
    const content = readFileSync(path.join(parentPath, name), "latin1");
    for (const place of [root, homedir()]) assert.ok(!content.includes(place), `${name} names ${place}`);
  }
});

const dist = path.join(root, "build", "client", "dist");
const scripts = readdirSync(dist).filter((name) => /\.c?js$/.test(name) && !/inlined\.js$/.test(name));
/** Those that have no client in them. */
const WITHOUT_CLIENT = /^(groups-\w+|react|server|protobuf-\w+)\./;

test("every script has a source map with the text of its sources", () => {
  assert.ok(scripts.length >= 7, String(scripts));
  for (const name of scripts) {
    assert.ok(readFileSync(path.join(dist, name), "utf8").endsWith(`\n//# sourceMappingURL=${name}.map\n`), name);
    const { sources, sourcesContent } = JSON.parse(readFileSync(path.join(dist, `${name}.map`), "utf8"));
    const client = sourcesContent[sources.indexOf("../src/client.ts")];
    if (!WITHOUT_CLIENT.test(name)) assert.match(client, /^export class WebPubSubClient \{$/m, name);
    assert.ok(sourcesContent.some(Boolean), name);
    for (const source of sources) assert.match(source, /^\.\.\/(src|inlined)\/[\w./-]+$/, name);
  }
});

test("only what pages download is minified", () => {
  const clients = scripts.filter((name) => !WITHOUT_CLIENT.test(name));
  const minified = clients.filter((name) => !/\n {2}constructor\(/.test(readFileSync(path.join(dist, name), "utf8")));
  assert.deepEqual(minified, ["browser.js", "slim.js"]);
});

test("classes have their names, minified or not", async () => {
  for (const name of ["browser.js", "slim.js", "web.js", "node.js"]) {
    const exported = Object.entries(await import(path.join(dist, name))).filter(([, value]) => value.prototype);
    const classes = exported.filter(([exportedAs]) => /^(?:\w+Error|WebPubSubClient)$/.test(exportedAs));
    assert.equal(classes.length, 4, name);
    for (const [exportedAs, value] of classes) assert.equal(value.name, exportedAs, name);
  }
});

test("the WebAssembly asks for nothing but its own JavaScript", async () => {
  const module = await WebAssembly.compile(readFileSync(path.join(root, "build", "client", "dist", "core.wasm")));
  assert.deepEqual([...new Set(WebAssembly.Module.imports(module).map((entry) => entry.module))], ["a"]);
});
