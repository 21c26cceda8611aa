#!/usr/bin/env bash
# A Durable Object whose constructor sets its alarm cancels the very alarm that started it.
#
# The good guess: a constructor may arm its next alarm, as in-memory state is rebuilt there; the alarm
# that is due, and for which the runtime is constructing the object, is delivered first or anyway. What
# the documentation says of replacing an alarm is about one that is still to come.
#
# Seen with workerd 1.20261117.1 (and 1.20260426.1): when an overdue alarm starts the object, a later
# `setAlarm` in the constructor makes the runtime drop the delivery ("SQLite alarm handler canceled with
# requestScheduledAlarm"), and `alarm()` runs at the later time only. `getAlarm()` in the constructor
# gives the overdue time until then, which tells such a start from all others.
#
# Source: https://developers.cloudflare.com/durable-objects/api/alarms/ (setAlarm, getAlarm).
set -euo pipefail

WORKERD=1.20261117.1
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "workerd@$WORKERD"
workerd=$(node -p 'require("workerd").default')

cat >worker.js <<'JS'
export class Alarmed {
  constructor(state, env) {
    this.storage = state.storage;
    state.blockConcurrencyWhile(async () => {
      const due = await state.storage.getAlarm();
      if (due === null) return;
      console.log(`constructed with an alarm that is ${due <= Date.now() ? "overdue" : "to come"}`);
      if (env.SETS === "yes") {
        await state.storage.setAlarm(Date.now() + 3000);
        console.log("constructor set a later alarm");
      }
      this.constructed = Date.now();
    });
  }
  async fetch() {
    await this.storage.setAlarm(Date.now() + 1000);
    return new Response("set");
  }
  alarm() {
    console.log(`alarm() ${Date.now() - this.constructed < 2000 ? "at once" : "at the later time"}`);
  }
}
export default {
  fetch: (request, env) => env.ALARMED.get(env.ALARMED.idFromName("one")).fetch(request),
};
JS

port=$(node -e 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})')
run() { # whether the constructor sets an alarm
  cat >config.capnp <<CAPNP
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "$folder/state-$1", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:$port", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-11-17",
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  durableObjectNamespaces = [(className = "Alarmed", uniqueKey = "alarmed", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "ALARMED", durableObjectNamespace = "Alarmed"), (name = "SETS", text = "$1")],
);
CAPNP
  mkdir -p "state-$1"
  "$workerd" serve config.capnp >>"log-$1" 2>&1 &
  server=$!
}
within() { # what has to become true, within 20 s
  for _ in $(seq 200); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.1; done
  echo "never came: $*"; return 1
}

for sets in no yes; do
  run "$sets"
  within curl -sf "http://127.0.0.1:$port/"
  kill "$server"; wait "$server" 2>/dev/null || true
  sleep 1.5
  : >"log-$sets"
  # The overdue alarm starts the object; nothing is asked of it.
  run "$sets"
  within grep 'alarm()' "log-$sets"
  kill "$server"; wait "$server" 2>/dev/null || true
done

echo "workerd $WORKERD"
for sets in no yes; do echo "constructor sets an alarm: $sets"; sed 's/^/  /' "log-$sets"; done
grep -q 'alarm() at once' log-no
grep -q 'overdue' log-yes
grep -q 'handler canceled' log-yes
grep -q 'alarm() at the later time' log-yes
echo "As described."
