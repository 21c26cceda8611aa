#!/usr/bin/env bash
# In workerd a `TextDecoder` takes some ten times the size of UTF-8 that is not ASCII to make a string of it.
#
# The good guess: decoding is native code, so it costs the bytes, the string, and at most one copy between
# them, whatever the text says; and where `node:buffer` decodes too, both cost the same.
#
# Seen with workerd 1.20261117.1: the peak of the process grows by 3.4 times the size for 15 MiB of ASCII
# (the bytes in two places and the string), by 15 times for 15 MiB of Latin or Chinese letters, and by 16
# times for ASCII with a single letter of another script. `Buffer.toString()` of `node:buffer` makes the
# same strings for 2.6 to 4.1 times the size, but takes two to four times as long.
#
# Source: https://developers.cloudflare.com/workers/runtime-apis/encoding/ (TextDecoder), which says
# nothing about memory; an isolate may have 128 MB (https://developers.cloudflare.com/workers/platform/limits/).
set -euo pipefail

WORKERD=1.20261117.1
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "workerd@$WORKERD"
workerd=$(node -p 'require("workerd").default')
port=$(node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})')

cat >worker.js <<'JS'
import { Buffer } from "node:buffer";

const decoders = {
  decoder: (bytes) => new TextDecoder().decode(bytes),
  buffer: (bytes) => Buffer.from(bytes.buffer).toString(),
};
export default {
  async fetch(request) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return new Response(`${decoders[new URL(request.url).pathname.slice(1)](bytes).length} characters`);
  },
};
JS
cat >config.capnp <<CAPNP
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:$port", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-11-17",
  modules = [(name = "worker.js", esModule = embed "worker.js")],
);
CAPNP
node -e '
  const size = 15 << 20, { writeFileSync } = require("fs");
  writeFileSync("ascii", Buffer.alloc(size, "x"));
  writeFileSync("latin", Buffer.alloc(size, "é"));
  writeFileSync("chinese", Buffer.alloc(size, "語"));
  writeFileSync("mixed", Buffer.concat([Buffer.from("語"), Buffer.alloc(size - 3, "x")]));'

peak() { awk '/^VmHWM/ { print $2 * 1024 }' "/proc/$server/status"; }
cost() { # decoder, text: tenths of the text's size
  "$workerd" serve config.capnp &
  server=$!
  for _ in $(seq 200); do if curl -sf -o /dev/null -d x "http://127.0.0.1:$port/$1"; then break; fi; sleep 0.1; done
  before=$(peak)
  curl -sf -o /dev/null --data-binary "@$2" "http://127.0.0.1:$port/$1"
  tenths=$(( ($(peak) - before) * 10 / $(stat -c %s "$2") ))
  kill "$server"; wait "$server" 2>/dev/null || true
  echo "$1, $2: $((tenths / 10)).$((tenths % 10)) times the size" >&2
  echo "$tenths"
}

echo "workerd $WORKERD"
for text in latin chinese mixed; do
  (( $(cost decoder "$text") > 100 ))
  (( $(cost buffer "$text") < 50 ))
done
(( $(cost decoder ascii) < 50 ))
echo "As described."
