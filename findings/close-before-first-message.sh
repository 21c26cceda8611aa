#!/usr/bin/env bash
# The transport of a hibernatable WebSocket that its object closes stays open for ten seconds, unless the
# client has ever sent a message.
#
# The good guess: after the object's close frame and the client's answer the closing handshake is over,
# and the server ends the TCP connection "immediately" (RFC 6455, section 7.1.1), so that the client's
# `close` event follows within milliseconds. `webSocketClose` does run by then, and `readyState` is 3.
# With `accept()` in place of `acceptWebSocket()` it is so.
#
# Seen with workerd 1.20261117.1 (and 1.20260426.1): the frame leaves at once, but where it is answered by
# the first message that the client ever sent, the connection is kept until the object is put out of
# memory, ten seconds after it was last busy; in an object that is never idle, until the client gives up
# (`ws`: 30 s, Chromium: 2 s). After one message of the client, even one that the automatic response
# answers, it ends at once. Closing later, twice or from an alarm changes nothing.
#
# Source: https://developers.cloudflare.com/durable-objects/best-practices/websockets/ and
# https://www.rfc-editor.org/rfc/rfc6455#section-7.1.1.
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
export class Closing {
  constructor(state) {
    this.state = state;
  }
  async fetch(request) {
    if (request.headers.get("Upgrade")) {
      const [client, server] = Object.values(new WebSocketPair());
      this.state.acceptWebSocket(server);
      return new Response(null, { status: 101, webSocket: client });
    }
    for (const socket of this.state.getWebSockets()) socket.close(1000, "bye");
    return new Response("closed");
  }
  webSocketMessage() {}
  webSocketClose(socket, code) {
    socket.close(code);
  }
}
export default {
  fetch: (request, env) => env.CLOSING.get(env.CLOSING.idFromName(new URL(request.url).pathname)).fetch(request),
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
  durableObjectNamespaces = [(className = "Closing", uniqueKey = "closing", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "CLOSING", durableObjectNamespace = "Closing")],
);
CAPNP
"$workerd" serve config.capnp &
server=$!

cat >client.mjs <<'JS'
import WebSocket from "ws";
const [port] = process.argv.slice(2);
for (let tries = 0; ; tries++) {
  if (await fetch(`http://127.0.0.1:${port}/ready`).then(() => true, () => false)) break;
  if (tries > 100) throw new Error("workerd does not answer");
  await new Promise((resolve) => setTimeout(resolve, 100));
}
async function close(name, speaks) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/${name}`, { perMessageDeflate: false });
  await new Promise((resolve) => socket.on("open", resolve));
  if (speaks) socket.send("one message");
  await new Promise((resolve) => setTimeout(resolve, 500));
  const started = performance.now();
  const since = () => Math.round(performance.now() - started);
  let frame;
  socket._receiver.on("conclude", () => (frame = since()));
  const ended = new Promise((resolve) => socket.on("close", () => resolve(since())));
  await fetch(`http://127.0.0.1:${port}/${name}`);
  const end = await ended;
  console.log(`${name}: close frame after ${frame} ms, end of the transport after ${end} ms`);
  return [frame, end];
}
const [silent, speaking] = await Promise.all([close("silent", false), close("speaking", true)]);
const seen = silent[0] < 5_000 && silent[1] > 8_000 && speaking[1] < 5_000;
console.log(seen ? "As described." : "Changed: read the head of this script again.");
process.exit(seen ? 0 : 1);
JS
node client.mjs "$port"
