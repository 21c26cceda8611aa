#!/usr/bin/env bash
# A string that wasm-bindgen passes to WebAssembly is copied by the character, which takes many times as long as
# the platform's own encoder, and shows from some hundred characters on.
#
# The good guess: the generated JavaScript has `TextEncoder.encodeInto`, and uses it; so passing a string costs
# what encoding it costs, and there is nothing to gain by encoding it oneself.
#
# Seen in loro-crdt 1.17.1, one of many packages with wasm-bindgen's JavaScript in them: 64 KB of ASCII take 117 to
# 219 µs to pass on Node 20.20 and 152 µs on Node 26.10, where encoding them takes 3 and 1 µs; a text whose first character
# is not ASCII is passed about as fast as it is encoded, since the same JavaScript calls `encodeInto` for the rest of
# a text from there on. In workerd 1.20261117.1 it is 3 µs a KB against 0.1 to 0.4: what goes to Rust as bytes of a
# `TextEncoder` is there in a tenth of the time.
#
# Source: https://github.com/wasm-bindgen/wasm-bindgen/blob/main/crates/cli-support/src/js/mod.rs
# (expose_pass_string_to_wasm), whose loop ends at the first character that is not ASCII.
set -euo pipefail

PACKAGE=loro-crdt@1.17.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "$PACKAGE"
echo "node $(node -p process.versions.node), $PACKAGE"

cat >measure.cjs <<'JS'
// A function that takes a string, and looks at its first characters.
const { isValidContainerId } = require("loro-crdt");

const encoder = new TextEncoder();
const bytes = new Uint8Array(200_000);
const microseconds = (work) => {
  const runs = [];
  for (let run = 0; run < 9; run++) {
    const begun = process.hrtime.bigint();
    for (let i = 0; i < 200; i++) work();
    runs.push(Number(process.hrtime.bigint() - begun) / 200_000);
  }
  return runs.sort((a, b) => a - b)[4];
};
const ratios = {};
for (const [kind, text] of Object.entries({ ASCII: "x".repeat(65_536), Latin: `é${"x".repeat(65_534)}` })) {
  const pass = microseconds(() => isValidContainerId(text));
  const encode = microseconds(() => encoder.encodeInto(text, bytes));
  ratios[kind] = pass / encode;
  const figures = [`passing ${pass.toFixed(1)} µs`, `encoding ${encode.toFixed(1)} µs`, `${ratios[kind].toFixed(1)} ×`];
  console.log(`64 KB of ${kind}: ${figures.join(", ")}`);
}
if (ratios.ASCII < 2 * ratios.Latin || ratios.ASCII < 3) {
  console.log("Changed: ASCII is passed about as fast as it is encoded.");
  process.exitCode = 1;
}
JS
node measure.cjs
