#!/usr/bin/env bash
# On workerd alone the address of a client is in `request.cf.clientIp`, with its port, and IPv4 may come as IPv6.
#
# The good guess: a Worker reads the address in the header CF-Connecting-IP, wherever it runs, and an address without a
# port, as there. On workerd without wrangler there is no such header. `request.cf` is not the object of Cloudflare that
# tells of countries and TLS either: it has `clientIp` and nothing else.
#
# Seen with workerd 1.20261117.1: a socket at 127.0.0.1 says `127.0.0.1:PORT`, one at [::] says `[::ffff:127.0.0.1]:PORT`
# of the same client. So one who limits something by address has as many addresses as connections, unless the port is
# taken off.
#
# Source: https://developers.cloudflare.com/fundamentals/reference/http-headers/#cf-connecting-ip, and
# src/workerd/server/server.c++ in https://github.com/cloudflare/workerd (`clientIp`).
set -euo pipefail

WORKERD=1.20261117.1
folder=$(mktemp -d)
trap 'kill -9 "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "workerd@$WORKERD"
workerd=$(node -p 'require("workerd").default')

cat >worker.js <<'JS'
export default {
  fetch: ({ cf, headers }) => Response.json({ header: headers.get("CF-Connecting-IP"), cf }),
};
JS
free() { node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})'; }
four=$(free)
six=$(free)
cat >config.capnp <<CAPNP
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [
    (name = "four", address = "127.0.0.1:$four", http = (), service = "main"),
    (name = "six", address = "[::]:$six", http = (), service = "main"),
  ],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-11-17",
  modules = [(name = "worker.js", esModule = embed "worker.js")],
);
CAPNP
"$workerd" serve config.capnp &
server=$!

cat >ask.mjs <<'JS'
const ask = async (port) => {
  for (let tries = 0; ; tries++) {
    try {
      return await (await fetch(`http://127.0.0.1:${port}/`)).json();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};
const [four, six] = [await ask(process.argv[2]), await ask(process.argv[3])];
console.log("at 127.0.0.1:", JSON.stringify(four));
console.log("at [::]:     ", JSON.stringify(six));
const isAsDescribed =
  [four, six].every(({ header, cf }) => header === null && Object.keys(cf).join() === "clientIp") &&
  /^127\.0\.0\.1:\d+$/.test(four.cf.clientIp) &&
  /^\[::ffff:127\.0\.0\.1\]:\d+$/.test(six.cf.clientIp);
console.log(isAsDescribed ? "As described." : "Changed: read the head of this script again.");
process.exitCode = isAsDescribed ? 0 : 1;
JS
node ask.mjs "$four" "$six"
