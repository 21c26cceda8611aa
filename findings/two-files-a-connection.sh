#!/usr/bin/env bash
# A connection takes two of workerd's file descriptors.
#
# The good guess: an accepted connection is one file descriptor (accept(2)), and so it is with nginx, Node and
# workerd itself until lately. Whoever is to serve 10,000 WebSockets raises the bound on open files
# (`ulimit -n`, `LimitNOFILE=`) to a little more than 10,000.
#
# Seen with workerd 1.20261117.1: it duplicates the descriptor of every connection, WebSocket or not, and
# keeps both for as long as the connection lives. At half the expected number it writes "HTTP connection
# failed: dup(): Too many open files" for each further one and resets it in the middle of the handshake.
# With workerd 1.20260426.1 a connection was one.
#
# Source: https://man7.org/linux/man-pages/man2/accept.2.html ("a new file descriptor referring to that socket"),
# and the table of open files in /proc/PID/fd, which this script counts. Linux only.
set -euo pipefail

WORKERD=1.20261117.1
BEFORE=1.20260426.1
folder=$(mktemp -d)
trap 'kill -9 "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "workerd@$WORKERD" "before@npm:workerd@$BEFORE"

port=$(node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})')
cat >config.capnp <<CAPNP
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:$port", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-04-26",
  serviceWorkerScript = "addEventListener('fetch', (event) => event.respondWith(new Response('ready')))",
);
CAPNP

cat >count.mjs <<'JS'
import { readdirSync } from "node:fs";
import net from "node:net";
const [port, pid] = process.argv.slice(2);
const COUNT = 50;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const files = () => readdirSync(`/proc/${pid}/fd`).length;
for (let tries = 0; ; tries++) {
  const ready = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } }).then((answer) => answer.text(), () => "");
  if (ready === "ready") break;
  if (tries > 100) throw new Error("workerd does not answer");
  await pause(100);
}
await pause(500);
const before = files();
const connect = () => new Promise((resolve, reject) => net.connect(port, "127.0.0.1").on("connect", resolve).on("error", reject));
for (let done = 0; done < COUNT; done++) await connect();
await pause(500);
console.log((files() - before) / COUNT);
process.exit();
JS

# Prints how many files workerd has open for each connection.
files_each() {
  "$(node -p "require('$1').default")" serve config.capnp >log 2>&1 &
  server=$!
  node count.mjs "$port" "$server"
  kill -9 "$server"
  wait "$server" 2>/dev/null || true
}

now=$(files_each workerd)
earlier=$(files_each before)
echo "workerd $WORKERD: $now files a connection, $BEFORE: $earlier"
[ "$now" = 2 ] && [ "$earlier" = 1 ] && echo "As described." || { echo "Changed: read the head of this script again."; exit 1; }
