#!/usr/bin/env bash
# Microsoft's client sends a message again under another ack id, so what the service did the first time is done twice.
#
# The good guess: the ack id is what makes a retry safe. The service remembers the ids of a connection and answers a
# repeated one with `Duplicate`, and the client, whose retries are on unless they are turned off, repeats the message
# with the id that it gave it.
#
# Seen with @azure/web-pubsub-client 1.0.4 and 1.1.0: every attempt takes the next id. Where a reliable connection is
# lost between a message and its ack, the client recovers the connection and sends the message once more as a new one.
# With an `ackId` of the caller's own both attempts have that one. So whoever must not publish twice gives ids.
#
# Source: https://learn.microsoft.com/azure/azure-web-pubsub/howto-develop-reliable-clients (publishers resend with the
# same ackId), and sdk/web-pubsub/web-pubsub-client/src/webPubSubClient.ts in https://github.com/Azure/azure-sdk-for-js.
set -euo pipefail

WS=8.23.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "ws@$WS" \
  client-1.0@npm:@azure/web-pubsub-client@1.0.4 client-1.1@npm:@azure/web-pubsub-client@1.1.0

cat >try.mjs <<'JS'
import { once } from "node:events";
import { WebSocketServer } from "ws";

/** The ids of both attempts of one message, whose first is lost with its connection before it is acknowledged. */
async function attempts({ WebPubSubClient }, options) {
  const server = new WebSocketServer({ port: 0, handleProtocols: ([first]) => first });
  await once(server, "listening");
  const ids = [];
  let connections = 0;
  server.on("connection", (socket) => {
    if (++connections === 1)
      socket.send(JSON.stringify({ type: "system", event: "connected", connectionId: "c", reconnectionToken: "t" }));
    socket.on("message", (data) => {
      const { type, ackId } = JSON.parse(data);
      if (type !== "sendToGroup") return;
      ids.push(ackId);
      if (ids.length === 1) socket.terminate();
      else socket.send(JSON.stringify({ type: "ack", ackId, success: true }));
    });
  });
  const client = new WebPubSubClient(`ws://127.0.0.1:${server.address().port}/client/hubs/chat`);
  await client.start();
  await client.sendToGroup("group", "hello", "text", options);
  client.stop();
  for (const socket of server.clients) socket.terminate();
  server.close();
  return ids.join(", ");
}

const lines = [];
for (const version of ["1.0", "1.1"]) {
  const sdk = await import(`client-${version}`);
  lines.push(`${version}, no id given: ${await attempts(sdk)}; 77 given: ${await attempts(sdk, { ackId: 77 })}`);
}
console.log(lines.join("\n"));
const isAsDescribed = lines.every((line) => /given: (\d+), (?!\1;)\d+; 77 given: 77, 77$/.test(line));
console.log(isAsDescribed ? "As described." : "Changed: read the head of this script again.");
process.exit(isAsDescribed ? 0 : 1);
JS
node try.mjs
