#!/usr/bin/env bash
# The messages of one hibernatable WebSocket are handled at the same time: workerd does not wait for the
# promise that `webSocketMessage` returns before it delivers the next one.
#
# The good guess: an `async webSocketMessage` is how an object takes its time over a message. Until its
# promise has settled the socket's next message waits, so that a client's messages are handled one after
# the other, and a client that sends too fast is slowed down by TCP's flow control. Node's streams,
# WebSocketStream and most servers' message loops work like that, and the documentation calls an object
# single-threaded.
#
# Seen with workerd 1.20261117.1: of 20 messages that a client sends without waiting, all 20 are inside the
# handler at once while each waits 200 ms for a timer, and one that waits for less ends before one that
# came before it. Without `await` they come one after the other. What holds messages back is the gate of
# `blockConcurrencyWhile`: with it around the same wait there is one at a time, in order.
#
# Source: https://developers.cloudflare.com/durable-objects/best-practices/websockets/ and
# https://developers.cloudflare.com/durable-objects/api/state/#blockconcurrencywhile.
set -euo pipefail

WORKERD=1.20261117.1
WS=8.23.0
folder=$(mktemp -d)
trap 'kill -9 "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "workerd@$WORKERD" "ws@$WS"
workerd=$(node -p 'require("workerd").default')

cat >worker.js <<'JS'
export class Handling {
  inside = 0;
  most = 0;
  constructor(state) {
    this.state = state;
  }
  fetch(request) {
    const [client, server] = Object.values(new WebSocketPair());
    this.state.acceptWebSocket(server);
    this.isGated = new URL(request.url).pathname === "/gated";
    return new Response(null, { status: 101, webSocket: client });
  }
  async webSocketMessage(socket, message) {
    const handle = async () => {
      this.most = Math.max(this.most, ++this.inside);
      // The last one waits least.
      await new Promise((resolve) => setTimeout(resolve, 200 - 5 * Number(message)));
      this.inside--;
      socket.send(JSON.stringify({ message, most: this.most }));
    };
    await (this.isGated ? this.state.blockConcurrencyWhile(handle) : handle());
  }
  webSocketClose(socket, code) {
    socket.close(code);
  }
}
export default {
  fetch: (request, env) => env.HANDLING.get(env.HANDLING.idFromName(new URL(request.url).pathname)).fetch(request),
};
JS

port=$(node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})')
mkdir state
cat >config.capnp <<CAPNP
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "$folder/state", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:$port", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-11-17",
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  durableObjectNamespaces = [(className = "Handling", uniqueKey = "handling", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "HANDLING", durableObjectNamespace = "Handling")],
);
CAPNP
"$workerd" serve config.capnp &
server=$!

cat >client.mjs <<'JS'
import WebSocket from "ws";
const [port] = process.argv.slice(2);
const COUNT = 20;
async function open(path) {
  for (let tries = 0; tries < 100; tries++) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false });
    const opened = await new Promise((resolve) => socket.on("open", () => resolve(true)).on("error", () => resolve(false)));
    if (opened) return socket;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("workerd does not answer");
}
async function handle(path) {
  const socket = await open(path);
  const answers = [];
  const all = new Promise((resolve) => socket.on("message", (data) => answers.push(JSON.parse(data)) === COUNT && resolve()));
  for (let n = 0; n < COUNT; n++) socket.send(String(n));
  await all;
  socket.terminate();
  const [most, first] = [Math.max(...answers.map(({ most }) => most)), Number(answers[0].message)];
  console.log(`${path}: ${most} of ${COUNT} messages in the handler at once, the first that is done is number ${first}`);
  return { most, first };
}
const [plain, gated] = [await handle("/plain"), await handle("/gated")];
const seen = plain.most === COUNT && plain.first > 0 && gated.most === 1 && gated.first === 0;
console.log(seen ? "As described." : "Changed: read the head of this script again.");
process.exit(seen ? 0 : 1);
JS
node client.mjs "$port"
