#!/usr/bin/env bash
# In a Worker under workerd, `request.url` of a request with an absolute-form target has the host of the
# `Host` header, not that of the target.
#
# The good guess: a target such as `GET http://target.example/path` names the host itself. RFC 9112 (section
# 3.2.2) has an origin server ignore `Host` then and use the target's host, and so do nginx and Go's
# net/http. So one expects `request.url` to be the target as it was sent, and may compare a token's audience
# or choose a tenant by it.
#
# Seen with workerd 1.20261117.1: the target's scheme and host are dropped, path and query are kept, and the
# URL is put together with `Host`. A proxy in front that goes by the target and passes `Host` on as it came
# and the Worker behind it see two different hosts.
#
# Source: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
set -euo pipefail

WORKERD=1.20261117.1
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "workerd@$WORKERD"
workerd=$(node -p 'require("workerd").default')

cat >worker.js <<'JS'
export default { fetch: (request) => new Response(`${request.url} ${request.headers.get("host")}\n`) };
JS
port=$(node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})')
cat >config.capnp <<CAPNP
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:$port", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-11-17",
  modules = [(name = "worker.js", esModule = embed "worker.js")],
);
CAPNP
"$workerd" serve config.capnp &
server=$!

cat >ask.js <<'JS'
const net = require("net");
const port = Number(process.argv[2]);
const ask = (target) =>
  new Promise((resolve) => {
    let heard = "";
    const socket = net.connect(port, "127.0.0.1", () =>
      socket.write(`GET ${target} HTTP/1.1\r\nHost: header.example\r\nConnection: close\r\n\r\n`));
    socket.on("data", (bytes) => (heard += bytes)).on("error", () => {}).on("close", () => resolve(heard));
  });
(async () => {
  while (!(await ask("/")));
  for (const target of ["/path?q", "http://target.example/path?q", "https://target.example:8443/path?q"]) {
    console.log(`${target} -> ${(await ask(target)).match(/^https?:.*$/m)?.[0]}`);
  }
})();
JS
node ask.js "$port" >output

echo "workerd $WORKERD, Host: header.example; the target, and request.url and Host in the Worker"
cat output
grep -qx '/path?q -> http://header.example/path?q header.example' output
grep -qx 'http://target.example/path?q -> http://header.example/path?q header.example' output
grep -qx 'https://target.example:8443/path?q -> http://header.example/path?q header.example' output
echo "As described."
