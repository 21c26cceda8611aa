#!/usr/bin/env bash
# esbuild takes `import.meta.url` away from packages when it makes CommonJS, and says nothing about it.
#
# The good guess: a package that reads a file beside its script, by `new URL("file", import.meta.url)`, works in a bundle
# for Node as long as the file is where the bundle is: Rollup, which makes CommonJS of modules as well, writes the
# bundle's own address there. And where a bundler cannot keep something it says so, as esbuild does of exactly this
# ("import.meta" is not available with the "cjs" output format and will be empty).
#
# Seen with esbuild 0.28.2: `--platform=node` alone makes CommonJS; a package is taken by its condition `import`, and
# `import.meta` is an empty object in it, so the `new URL` throws when the program runs ("Invalid URL"). The warning comes
# for the application's own files; for those in node_modules it takes `--log-level=debug` to see it. What catches errors
# of reading the file alone does not catch this one: the address fails before anything is read.
#
# Source: https://esbuild.github.io/api/#platform (the format is cjs where the platform is node), and
# https://github.com/evanw/esbuild/issues/1492; https://rollupjs.org/configuration-options/#output-format.
set -euo pipefail

ESBUILD=0.28.2
ROLLUP=4.68.8
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "esbuild@$ESBUILD" "rollup@$ROLLUP" \
  @rollup/plugin-node-resolve@16.0.3

mkdir node_modules/beside
echo '{ "name": "beside", "version": "1.0.0", "type": "module", "exports": "./index.js" }' >node_modules/beside/package.json
echo 'export const where = typeof import.meta.url;' >node_modules/beside/index.js
echo 'import { where } from "beside"; console.log(where);' >app.mjs
echo 'console.log(typeof import.meta.url);' >own.mjs

# The warnings of a bundle, counted, and what it prints.
esbuilt() {
  local said
  said=$(node_modules/.bin/esbuild "$1.mjs" --bundle --platform=node --log-level="$2" --outfile="$1.cjs" 2>&1)
  echo "$(grep -c 'empty-import-meta' <<<"$said" || true) warnings, $(node "$1.cjs")"
}
package=$(esbuilt app info)
debugged=$(esbuilt app debug)
own=$(esbuilt own info)
node_modules/.bin/rollup app.mjs --silent --plugin node-resolve --format cjs --file rollup.cjs
rolled=$(node rollup.cjs)
echo "esbuild $ESBUILD: in a package $package; with --log-level=debug $debugged; in the application $own. Rollup $ROLLUP: in a package $rolled"
[ "$package" = "0 warnings, undefined" ] && [ "$debugged" = "1 warnings, undefined" ] &&
  [ "$own" = "1 warnings, undefined" ] && [ "$rolled" = string ] && echo "As described." || {
  echo "Changed: read the head of this script again."
  exit 1
}
