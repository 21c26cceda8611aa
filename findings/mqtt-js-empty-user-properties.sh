#!/usr/bin/env bash
# MQTT.js never sends a CONNECT whose user properties are an empty object, and reports no error for it.
#
# The good guess: `userProperties: {}` is the same as none, as an empty object is for a PUBLISH's other properties and
# for every other option of the library.
#
# Seen with mqtt 5.16.0 (mqtt-packet 9.0.2): the packet is written as no bytes at all. The socket is open, the client
# emits nothing, and gives up after its connect timeout with "connack timeout". A PUBLISH with them is written as no
# bytes, too.
#
# Source: https://github.com/mqttjs/MQTT.js#client (properties), https://github.com/mqttjs/mqtt-packet.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts mqtt@5.16.0
cat >try.mjs <<'JS'
import net from "node:net";
import mqtt from "mqtt";

/** How many bytes of a CONNECT arrive, and what the client says of it. */
function connect(properties) {
  return new Promise((resolve) => {
    let bytes = 0;
    const server = net.createServer((socket) => socket.on("data", (chunk) => (bytes += chunk.length)));
    server.listen(0, "127.0.0.1", () => {
      const client = mqtt.connect(`mqtt://127.0.0.1:${server.address().port}`, {
        protocolVersion: 5, clientId: "abc", reconnectPeriod: 0, connectTimeout: 2000, properties,
      });
      const events = [];
      for (const event of ["connect", "error", "close"])
        client.on(event, (error) => events.push(error?.message ? `${event}: ${error.message}` : event));
      client.on("close", () => (server.close(), resolve({ bytes, events })));
    });
  });
}

const none = await connect({ sessionExpiryInterval: 30 });
const empty = await connect({ sessionExpiryInterval: 30, userProperties: {} });
console.log("without user properties:", JSON.stringify(none));
console.log("with an empty object:   ", JSON.stringify(empty));
if (none.bytes === 0 || empty.bytes !== 0) throw new Error("MQTT.js has changed: an empty object of user properties is sent.");
process.exit(0);
JS
node try.mjs
