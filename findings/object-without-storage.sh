#!/usr/bin/env bash
# A Durable Object that is asked for anything leaves a database file, even if it stores nothing.
#
# The good guess: an object exists by what it stores, so a request that only reads, or does not touch the
# storage at all, costs memory for a while and leaves nothing, and strangers may name objects that store
# nothing for them.
#
# Seen with workerd 1.20261117.1 and `localDisk`: the first request to a name makes `<id>.sqlite` with its
# `-wal` and `-shm`, before any code of the object has touched its storage, and the database stays when
# the object is put out of memory. A request must be authorised before a stub is called.
#
# Source: https://developers.cloudflare.com/durable-objects/concepts/durable-object-lifecycle/.
set -euo pipefail

WORKERD=1.20261117.1
folder=$(mktemp -d)
trap 'kill -9 "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "workerd@$WORKERD"
workerd=$(node -p 'require("workerd").default')

cat >worker.js <<'JS'
export class Idle {
  fetch() {
    return new Response("nothing was stored");
  }
}
export default {
  fetch: (request, env) => env.IDLE.get(env.IDLE.idFromName(new URL(request.url).pathname)).fetch(request),
};
JS

port=$(node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})')
mkdir state
cat >config.capnp <<CAPNP
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "$folder/state", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:$port", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-11-17",
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  durableObjectNamespaces = [(className = "Idle", uniqueKey = "idle", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "IDLE", durableObjectNamespace = "Idle")],
);
CAPNP
"$workerd" serve config.capnp &
server=$!

databases() { find state -name '*.sqlite' ! -name 'metadata.sqlite' | wc -l; }
cat >ask.mjs <<'JS'
const [port, ...names] = process.argv.slice(2);
for (const name of names) {
  for (let tries = 0; ; tries++) {
    const text = await fetch(`http://127.0.0.1:${port}/${name}`).then((answer) => answer.text(), () => undefined);
    if (text !== undefined) break;
    if (tries > 100) throw new Error("workerd does not answer");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
JS
before=$(databases)
node ask.mjs "$port" one two three
asked=$(databases)
sleep 15 # Objects are put out of memory after ten seconds.
later=$(databases)
echo "databases: $before before, $asked after three requests that store nothing, $later once the objects are gone"
if [ "$before $asked $later" = "0 3 3" ]; then echo "As described."; else
  echo "Changed: read the head of this script again."
  exit 1
fi
