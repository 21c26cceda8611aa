#!/usr/bin/env bash
# npm writes a lock file that `npm ci` refuses, where an optional dependency cannot be found.
#
# The good guess: an optional dependency may be missing, so `npm install` leaves it out, and what it
# writes down as installed can be installed again with `npm ci`. The documentation of
# optionalDependencies promises the first half.
#
# Seen with npm 11.19.1: `npm install` succeeds and leaves the package out of the lock file without a
# word; `npm ci` then ends with EUSAGE, "package.json and package-lock.json … are not in sync … Missing:
# NAME@ from lock file", and its advice, `npm install`, changes nothing. An optional dependency of a
# dependency does the same. What helps is another version of whatever names it.
#
# Source: https://docs.npmjs.com/cli/v11/configuring-npm/package-json#optionaldependencies
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts --no-save --prefix "$folder/tool" npm@11.19.1
npm="$folder/tool/node_modules/npm/bin/npm-cli.js"
mkdir project
cd project
cat >package.json <<'JSON'
{ "name": "project", "private": true, "optionalDependencies": { "webpubsub-edge-no-such-package": "1.0.0" } }
JSON

node "$npm" install --no-audit --no-fund --ignore-scripts >/dev/null && installed=0 || installed=$?
again=$(node "$npm" ci --no-audit --no-fund --ignore-scripts 2>&1) && ci=0 || ci=$?
missing=$(grep -o 'Missing: [^ ]* from lock file' <<<"$again" || true)
echo "npm $(node "$npm" --version): install ends with $installed, ci with $ci ($missing)"
[ "$installed" = 0 ] && [ "$ci" != 0 ] && [ "$missing" = "Missing: webpubsub-edge-no-such-package@ from lock file" ] || {
  echo "npm behaves otherwise than this says." >&2
  exit 1
}
