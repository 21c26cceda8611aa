#!/usr/bin/env bash
# workerd lets a Worker answer with a WebSocket only where `Upgrade` names nothing beside `websocket`; else it is a 500.
#
# The good guess: `Upgrade` is a list of protocols, of which the server takes one and says in its 101 which (RFC 9110,
# 7.8). So a Worker that finds `websocket` in the list may answer `new Response(null, { status: 101, webSocket })`, and
# whatever the runtime asks for beyond that, it says before: a `WebSocketPair` is made and accepted without an error.
#
# Seen with workerd 1.20261117.1: to `Upgrade: websocket` in any case the answer is 101; to `websocket, h2c`, and to
# `h2c, websocket`, the client gets 500 after the handler has returned, where no `try` of the Worker is: "Worker tried to
# return a WebSocket in a response to a request which did not contain the header "Upgrade: websocket"", of a request that
# does contain it. A Worker that reads the list has to refuse by itself what is not that one word.
#
# Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.8, and
# https://developers.cloudflare.com/workers/runtime-apis/websockets/.
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
  fetch(request) {
    const offered = (request.headers.get("Upgrade") ?? "").toLowerCase().split(",");
    if (!offered.some((name) => name.trim() === "websocket")) return new Response("No WebSocket.", { status: 426 });
    try {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      return new Response(null, { status: 101, webSocket: client });
    } catch (error) {
      return new Response(String(error), { status: 400 });
    }
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
"$workerd" serve config.capnp 2>log &
server=$!

cat >client.mjs <<'JS'
import { request } from "node:http";
const [port] = process.argv.slice(2);
const status = (upgrade) =>
  new Promise((resolve, reject) => {
    const headers = {
      Connection: "Upgrade", Upgrade: upgrade, "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    request({ host: "127.0.0.1", port, headers, agent: false })
      .on("upgrade", (answer, socket) => (socket.destroy(), resolve(answer.statusCode)))
      .on("response", (answer) => resolve(answer.resume().statusCode))
      .on("error", reject)
      .end();
  });
for (let tries = 0; tries < 100; tries++) {
  if (await status("none").catch(() => 0)) break;
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const seen = [];
for (const upgrade of ["websocket", "WebSocket", "h2c", "websocket, h2c", "h2c, websocket"]) {
  seen.push(await status(upgrade));
  console.log(`Upgrade: ${upgrade}: ${seen.at(-1)}`);
}
const same = seen.join() === "101,101,426,500,500";
console.log(same ? "As described." : "Changed: read the head of this script again.");
process.exit(same ? 0 : 1);
JS
node client.mjs "$port"
