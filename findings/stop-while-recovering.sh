#!/usr/bin/env bash
# `stop()` of Microsoft's client does nothing while the client recovers a reliable connection: it comes back
# afterwards, goes on receiving, and never raises `stopped`.
#
# The good guess: `stop()` is "Stop the client", so one that has lost its socket stops trying, raises
# `stopped`, and lets the process end. It does so while the client is connected, and while it makes a new
# connection.
#
# Seen with @azure/web-pubsub-client 1.0.4 and 1.1.0: where the socket is not open, `stop()` takes its own
# note that the client is stopping back at once and only ends the keep-alive, so the recovery under way
# goes on. Whoever stops a client for good has to wait for `stopped`, and to call `stop()` again until then.
#
# Source: https://learn.microsoft.com/javascript/api/@azure/web-pubsub-client/webpubsubclient (`stop`), and
# sdk/web-pubsub/web-pubsub-client/src/webPubSubClient.ts in https://github.com/Azure/azure-sdk-for-js.
set -euo pipefail

WS=8.23.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "ws@$WS" \
  client-1.0@npm:@azure/web-pubsub-client@1.0.4 client-1.1@npm:@azure/web-pubsub-client@1.1.0

cat >stop.mjs <<'JS'
import { once } from "node:events";
import { WebSocketServer } from "ws";

const pass = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function look(name, { WebPubSubClient }) {
  let server = new WebSocketServer({ port: 0, handleProtocols: ([first]) => first });
  await once(server, "listening");
  const { port } = server.address();
  const client = new WebPubSubClient(`ws://127.0.0.1:${port}/client/hubs/chat`);
  let [stopped, received] = [false, 0];
  client.on("stopped", () => (stopped = true));
  client.on("server-message", () => received++);
  const began = once(server, "connection");
  const started = client.start();
  const [socket] = await began;
  socket.send(JSON.stringify({ type: "system", event: "connected", connectionId: "c", reconnectionToken: "t" }));
  await started;
  await pass(500);

  // The service is gone, and the client tries to recover its connection when it is stopped.
  for (const open of server.clients) open.terminate();
  await new Promise((resolve) => server.close(resolve));
  await pass(500);
  client.stop();
  await pass(500);

  // Then the service is back.
  server = new WebSocketServer({ port, handleProtocols: ([first]) => first });
  const back = await Promise.race([once(server, "connection"), pass(10_000)]);
  if (back) {
    back[0].send(JSON.stringify({ type: "message", from: "server", dataType: "text", data: "hi", sequenceId: 1 }));
    await pass(500);
  }
  console.log(`${name}: comes back after stop(): ${Boolean(back)}, receives ${received} message, stopped: ${stopped}`);
  return Boolean(back) && received === 1 && !stopped;
}

const seen = [await look("1.0.4", await import("client-1.0")), await look("1.1.0", await import("client-1.1"))];
console.log(seen.every(Boolean) ? "As described." : "Changed: read the head of this script again.");
process.exit(seen.every(Boolean) ? 0 : 1);
JS
node stop.mjs
