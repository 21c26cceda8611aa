#!/usr/bin/env bash
# `setState` of Microsoft's middleware changes the request's own `states`, and an answer carries all of them.
#
# The good guess: `response.setState(name, value)` prepares the answer, and `request.context.states` stays what the
# service sent, so that a handler can compare the two, or set one state from another's old value in any order.
#
# Seen with @azure/web-pubsub-express 1.1.0: both are one object. After `setState("count", 2)` the request says 2, too,
# and a handler that set a state and then fails has changed the request that its own log prints. The header
# `ce-connectionState` of the answer holds every state, those that were not set with them, and only where `setState`
# was called; a failure carries none.
#
# Source: https://learn.microsoft.com/azure/azure-web-pubsub/reference-cloud-events (`ce-connectionState`), and
# sdk/web-pubsub/web-pubsub-express/src/cloudEventsDispatcher.ts in https://github.com/Azure/azure-sdk-for-js.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @azure/web-pubsub-express@1.1.0 express@5.3.0
cat >try.mjs <<'JS'
import { once } from "node:events";
import express from "express";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";

const encode = (states) => Buffer.from(JSON.stringify(states)).toString("base64");
const decode = (header) => header && JSON.parse(Buffer.from(header, "base64").toString());

const seen = {};
const handler = new WebPubSubEventHandler("chat", {
  handleUserEvent(request, response) {
    const { eventName, states } = request.context;
    seen.before = { ...states };
    if (eventName !== "nothing") response.setState("count", 2);
    seen.after = { ...states };
    if (eventName === "failure") response.fail(500, "no");
    else response.success("ok", "text");
  },
});
const server = express().use(handler.getMiddleware()).listen(0, "127.0.0.1");
await once(server, "listening");

async function event(name) {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/api/webpubsub/hubs/chat/`, {
    method: "POST",
    body: "hello",
    headers: {
      "content-type": "text/plain", "webhook-request-origin": "example.com", "ce-awpsversion": "1.0", "ce-hub": "chat",
      "ce-type": `azure.webpubsub.user.${name}`, "ce-eventname": name, "ce-connectionid": "c", "ce-userid": "u",
      "ce-connectionstate": encode({ count: 1, room: "a" }),
    },
  });
  await answer.text();
  const line = { ...structuredClone(seen), answer: decode(answer.headers.get("ce-connectionstate")) ?? "none" };
  console.log(`${name}:`, JSON.stringify(line));
  return JSON.stringify(line);
}

const lines = [await event("message"), await event("nothing"), await event("failure")];
server.close();
const [before, after] = ['{"count":1,"room":"a"}', '{"count":2,"room":"a"}'];
const expected = [
  `{"before":${before},"after":${after},"answer":${after}}`,
  `{"before":${before},"after":${before},"answer":"none"}`,
  `{"before":${before},"after":${after},"answer":"none"}`,
];
if (lines.some((line, index) => line !== expected[index])) throw new Error("Changed: read the head of this script again.");
console.log("As described.");
JS
node try.mjs
