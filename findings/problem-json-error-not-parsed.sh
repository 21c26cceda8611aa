#!/usr/bin/env bash
# Microsoft's server SDK for JavaScript reads an error whose body is `application/json`, and hands one
# whose body is `application/problem+json` on as text.
#
# The good guess: problem details (RFC 9457) are JSON by their `+json` suffix (RFC 6839), and Azure's
# own service answers a wrong filter with them, so the SDK's error has `code` and `message` either way.
#
# Seen with @azure/web-pubsub 1.2.0: the same body gives `code: "Error.BadRequest"` and its sentence as
# `message` when it is `application/json`, but no `code` and the whole JSON text as `message` when it is
# `application/problem+json`. Microsoft's own live tests call `JSON.parse(error.message)`, so a service
# that answers with the type that its clients understand breaks those that know Azure's.
#
# Source: azure-sdk-for-js, sdk/web-pubsub/web-pubsub, test/hubs.spec.ts ("can broadcast with filter")
# and its recording; sdk/core/core-client, deserializationPolicy.ts (defaultJsonContentTypes).
set -euo pipefail

SDK=1.2.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "@azure/web-pubsub@$SDK"

cat >ask.mjs <<'JS'
import { createServer } from "node:http";
import { once } from "node:events";
import { WebPubSubServiceClient } from "@azure/web-pubsub";

const body = JSON.stringify({ code: "Error.BadRequest", message: "Wrong.", target: "filter" });
const ask = async (type) => {
  const service = createServer((request, response) => {
    request.resume();
    response.writeHead(400, { "content-type": `${type}; charset=utf-8` }).end(body);
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  const key = "a-key-that-is-used-for-nothing-but-this";
  const endpoint = `Endpoint=http://127.0.0.1:${service.address().port};AccessKey=${key};Version=1.0;`;
  const client = new WebPubSubServiceClient(endpoint, "hub", { allowInsecureConnection: true });
  const error = await client.sendToAll("x", { contentType: "text/plain" }).catch((error) => error);
  service.close();
  service.closeAllConnections();
  return { code: error.code, message: error.message };
};
const seen = { json: await ask("application/json"), problem: await ask("application/problem+json") };
console.log(JSON.stringify(seen, null, 2));
const isAsSeen =
  seen.json.code === "Error.BadRequest" && seen.json.message === "Wrong." &&
  seen.problem.code === undefined && JSON.parse(seen.problem.message).message === "Wrong.";
process.exit(isAsSeen ? 0 : 1);
JS

echo "@azure/web-pubsub $SDK on Node $(node --version)"
if node ask.mjs; then
  echo "as described: problem details come as text"
else
  echo "this has changed: see the output above" >&2
  exit 1
fi
