#!/usr/bin/env bash
# Microsoft's JavaScript client does not send a fragment of a group stream again that the service refused with
# `streamNack`: it waits for an acknowledgement that cannot come, and no error is reported.
#
# The good guess: a `streamNack` names the sequence id that the service expects, so that the client goes on from there;
# `TransientError` above all says that the same fragment may be sent again.
#
# Seen with @azure/web-pubsub-client 1.1.0: the client takes a `streamNack` for an acknowledgement of what lies before
# `expectedSequenceId`. The refused fragment is not sent again while the connection lives (only a `connected` message
# after a recovery has the client begin again at the oldest fragment without an acknowledgement); later fragments go
# out, and the stream's `onError` is not called. So a service that refuses one has stopped the stream for good: it
# had better slow the connection down instead.
#
# Source: https://github.com/Azure/azure-webpubsub/blob/main/protocols/client/client-spec.md (3.6, streamNack), and
# https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/web-pubsub/web-pubsub-client/src/webPubSubClient.ts
# (handling of streamNack).
set -euo pipefail

CLIENT=1.1.0
WS=8.23.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "@azure/web-pubsub-client@$CLIENT" "ws@$WS"
echo "@azure/web-pubsub-client $CLIENT, node $(node -p process.versions.node)"

cat >refuse.mjs <<'JS'
import { WebPubSubClient } from "@azure/web-pubsub-client";
import { WebSocketServer } from "ws";

const seen = [];
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: ([offered]) => offered });
await new Promise((resolve) => server.on("listening", resolve));
server.on("connection", (socket) => {
  const say = (message) => socket.send(JSON.stringify(message));
  say({ type: "system", event: "connected", userId: "u", connectionId: "c", reconnectionToken: "t" });
  let refused = false;
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.type === "ping") return say({ type: "pong" });
    const streamId = message.stream?.streamId ?? message.streamId;
    if (message.type === "sendToGroup") return say({ type: "streamAck", streamId, expectedSequenceId: 1 });
    if (message.type !== "streamData") return;
    const { streamSequenceId } = message;
    seen.push(streamSequenceId);
    if (streamSequenceId === 1) return say({ type: "streamAck", streamId, expectedSequenceId: 2 });
    if (streamSequenceId === 2 && !refused) {
      refused = true;
      return say({ type: "streamNack", streamId, name: "TransientError", message: "Later.", expectedSequenceId: 2 });
    }
    say({ type: "streamNack", streamId, name: "InvalidSequenceId", message: "2 first.", expectedSequenceId: 2 });
  });
});

const client = new WebPubSubClient(`ws://127.0.0.1:${server.address().port}/client/hubs/h?access_token=x`);
const connected = new Promise((resolve) => client.on("connected", resolve));
await client.start();
await connected;
const stream = await client.openGroupStream("group");
let errors = 0;
stream.onError(() => errors++);
for (const text of ["one", "two", "three"]) await stream.write(text, "text");
await new Promise((resolve) => setTimeout(resolve, 3000));
console.log(`fragments that arrived in 3 s: ${seen.join(", ")}; errors: ${errors}`);
if (seen.join() !== "1,2,3" || errors !== 0) {
  console.log("Changed: the refused fragment 2 was sent again, or the refusal was reported.");
  process.exitCode = 1;
}
process.exit();
JS
node refuse.mjs
