#!/usr/bin/env bash
# A Worker that answers before it has read a large request body ends the connection with the answer.
#
# The good guess: a handler that refuses by the headers alone (401, 404, 415) may leave the body alone, as
# on Node's own server, which reads what is left of it and keeps the connection for the next request. The
# Fetch handler's documentation asks nobody to read a body, and small ones show no difference.
#
# Seen with workerd 1.20261117.1: 4,000 bytes that were left unread do no harm. With a megabyte the runtime
# adds `Connection: close` to the answer and closes, so a request that follows on the connection fails, and
# with some megabytes under way the client may see a reset in place of the answer. A Worker that reads the
# body and drops it before it answers keeps answer and connection.
#
# Source: https://developers.cloudflare.com/workers/runtime-apis/request/ (`body`),
# https://nodejs.org/api/http.html (`http.Server`).
set -euo pipefail

WORKERD=1.20261117.1
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "workerd@$WORKERD"
workerd=$(node -p 'require("workerd").default')

cat >worker.js <<'JS'
export default {
  async fetch(request) {
    if (request.url.endsWith("/reads")) for await (const chunk of request.body) chunk.length;
    return new Response("refused", { status: 401 });
  },
};
JS
port=$(node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})')
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
"$workerd" serve config.capnp &
server=$!

cat >ask.js <<'JS'
// Two requests on one connection, the second when the first is answered; how each was answered.
const net = require("net");
const http = require("http");

function ask(port, path, size) {
  const post = (body) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  return new Promise((resolve) => {
    let heard = "";
    const answers = () => heard.match(/HTTP\/1\.1 401/g)?.length ?? 0;
    const socket = net.connect(port, "127.0.0.1", () => socket.write(post("x".repeat(size))));
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      const before = answers();
      heard += text;
      if (before === 0 && answers() === 1) socket.write(post("next"));
      if (answers() === 2) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(`${answers()} of 2 answered${/connection: close/i.test(heard) ? ", Connection: close" : ""}`));
  });
}

(async () => {
  const workerd = Number(process.argv[2]);
  while (!(await new Promise((up) => net.connect(workerd, "127.0.0.1", () => up(true)).on("error", () => up(false)))));
  console.log(`workerd, 4000 bytes unread: ${await ask(workerd, "/", 4_000)}`);
  console.log(`workerd, 1000000 bytes unread: ${await ask(workerd, "/", 1_000_000)}`);
  console.log(`workerd, 1000000 bytes read: ${await ask(workerd, "/reads", 1_000_000)}`);
  const server = http.createServer((_, response) => response.writeHead(401).end("refused")).listen(0, async () => {
    console.log(`Node, 1000000 bytes unread: ${await ask(server.address().port, "/", 1_000_000)}`);
    process.exit();
  });
})();
JS
node ask.js "$port" >output

echo "workerd $WORKERD, Node $(node --version)"
cat output
grep -qx 'workerd, 4000 bytes unread: 2 of 2 answered' output
grep -qx 'workerd, 1000000 bytes unread: 1 of 2 answered, Connection: close' output
grep -qx 'workerd, 1000000 bytes read: 2 of 2 answered' output
grep -qx 'Node, 1000000 bytes unread: 2 of 2 answered' output
echo "As described."
