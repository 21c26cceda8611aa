#!/usr/bin/env bash
# What a Durable Object sends on a WebSocket before the answer to its upgrade has left costs memory until it closes.
#
# The good guess: a small message takes memory until it is on its way, so it does not matter for an idle connection
# whether the first message goes out with the answer to the upgrade or a moment after it.
#
# Seen with workerd 1.20261117.1: of 1,500 idle connections each takes 77 KB where nothing was sent, 78 KB where 100
# bytes were sent two `scheduler.wait(0)` after the response was returned, and 88 KB where they were sent before. After
# a later message to all of them it is 86, 88 and 98 KB: what was sent early goes on costing 10 KB.
#
# Source: https://developers.cloudflare.com/durable-objects/best-practices/websockets/ lets a handler send as soon as it
# has accepted a socket and names no cost; the memory is what proc_pid_smaps(5) counts as Pss. Linux only, with 4,096
# open files.
set -euo pipefail

ulimit -Sn "$(ulimit -Hn)"
WORKERD=1.20261117.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "workerd@$WORKERD"

cat >worker.js <<'JS'
export class Room {
  constructor(state, { MODE }) {
    this.state = state;
    this.mode = MODE;
  }
  fetch() {
    const [client, server] = Object.values(new WebSocketPair());
    this.state.acceptWebSocket(server);
    const greet = () => server.send("x".repeat(100));
    if (this.mode === "early") greet();
    if (this.mode === "late") this.afterTheAnswer(greet);
    return new Response(null, { status: 101, webSocket: client });
  }
  async afterTheAnswer(greet) {
    await scheduler.wait(0);
    await scheduler.wait(0);
    greet();
  }
  webSocketMessage(_, message) {
    for (const socket of this.state.getWebSockets()) socket.send(message);
  }
}
export default { fetch: (request, { ROOM }) => ROOM.get(ROOM.idFromName("room")).fetch(request) };
JS

cat >measure.mjs <<'JS'
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { createRequire } from "node:module";

const { default: workerd } = createRequire(import.meta.url)("workerd");
const [WARM, COUNT] = [500, 1500];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** Kilobytes that each of many idle connections takes, before and after a message to all of them. */
async function kilobytesEach(mode) {
  const port = await freePort();
  writeFileSync(`${mode}.capnp`, `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-11-17",
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  durableObjectNamespaces = [(className = "Room", uniqueKey = "room")],
  durableObjectStorage = (inMemory = void),
  bindings = [(name = "ROOM", durableObjectNamespace = "Room"), (name = "MODE", text = "${mode}")],
);`);
  const child = spawn(workerd, ["serve", `${mode}.capnp`], { stdio: "ignore" });
  process.once("exit", () => child.kill("SIGKILL"));
  const memory = () => Number(readFileSync(`/proc/${child.pid}/smaps_rollup`, "utf8").match(/^Pss:\s+(\d+)/m)[1]);
  const connect = () => new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", reject).once("connect", () => socket.write(
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
    socket.once("data", () => resolve(socket.on("data", () => {})));
  });
  for (let tries = 0; ; tries++) {
    const socket = await connect().catch(() => undefined);
    socket?.destroy();
    if (socket) break;
    if (tries > 100) throw new Error("workerd does not answer");
    await pause(100);
  }
  const sockets = [];
  while (sockets.length < WARM) sockets.push(await connect());
  await pause(500);
  const before = memory();
  while (sockets.length < WARM + COUNT) sockets.push(await connect());
  await pause(1500);
  const idle = (memory() - before) / COUNT;
  // "hi", masked with zeros.
  sockets[0].write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  await pause(1500);
  const later = (memory() - before) / COUNT;
  child.kill("SIGKILL");
  return { idle, later };
}

const measured = {};
for (const mode of ["none", "late", "early"]) {
  measured[mode] = await kilobytesEach(mode);
  const { idle, later } = measured[mode];
  console.log(`${mode.padEnd(5)} ${idle.toFixed(1)} KB each, ${later.toFixed(1)} KB after a message to all`);
}
const { none, late, early } = measured;
process.exit(early.idle - late.idle > 5 && early.later - late.later > 5 && late.idle - none.idle < 5 ? 0 : 1);
JS

node measure.mjs && echo "workerd $WORKERD: as described." || { echo "Changed: read the head of this script again."; exit 1; }
