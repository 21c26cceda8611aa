#!/usr/bin/env bash
# A chain that `selfsigned` makes with its own `ca` option is refused by OpenSSL's strict checks.
#
# The good guess: a certificate that is signed by a local authority of the library's making, with a subject
# alternative name, is taken by every TLS client that trusts the authority. Node, curl and browsers do take
# it. Python does not from 3.13 on, whose ssl.create_default_context() sets VERIFY_X509_STRICT.
#
# Seen with selfsigned 5.5.0 and OpenSSL 3: `openssl verify` is content, `openssl verify -x509_strict` says
# "Missing Subject Key Identifier" of the authority or "Missing Authority Key Identifier" of the certificate.
# RFC 5280 demands both identifiers, and the list of extensions that the library takes has neither, so no
# option adds them. `@peculiar/x509`, which it is built on, can.
#
# Source: RFC 5280, 4.2.1.1 and 4.2.1.2; https://docs.python.org/3/library/ssl.html#ssl.create_default_context
# ("Changed in version 3.13"); https://github.com/jfromaniello/selfsigned#readme (options).
set -euo pipefail

SELFSIGNED=5.5.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "selfsigned@$SELFSIGNED"

cat >make.cjs <<'JS'
const { writeFileSync } = require("node:fs");
const selfsigned = require("selfsigned");
async function main() {
  const ca = await selfsigned.generate([{ name: "commonName", value: "A local authority" }], {
    algorithm: "sha256",
    keyType: "ec",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await selfsigned.generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    keyType: "ec",
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
    ],
  });
  writeFileSync("ca.pem", ca.cert);
  writeFileSync("server.pem", server.cert);
}
main();
JS
node make.cjs
echo "selfsigned $SELFSIGNED, $(openssl version)"

openssl verify -CAfile ca.pem -verify_hostname localhost server.pem || { echo "changed: the chain is not taken at all"; exit 1; }
if openssl verify -x509_strict -CAfile ca.pem -verify_hostname localhost server.pem >strict 2>&1; then
  echo "changed: the chain passes the strict checks"; exit 1
fi
cat strict
grep -Eq "Missing (Subject|Authority) Key Identifier" strict || { echo "changed: it is refused for another reason"; exit 1; }
echo "as described: the chain lacks key identifiers"
