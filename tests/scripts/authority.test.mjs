// The local certificate authority, and the certificate that it signs for the service.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { authorityFile, certificateFor } from "../../scripts/service/authority.mjs";

const folders = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function newState() {
  const state = mkdtempSync(join(tmpdir(), "authority-"));
  folders.push(state);
  return state;
}

const DAY_MS = 24 * 60 * 60_000;
const inDays = (days) => Date.now() + days * DAY_MS;
const authorityOf = (state) => new X509Certificate(readFileSync(authorityFile(state)));
const certificateOf = async (state, host, now) =>
  new X509Certificate((await certificateFor({ state, host }, now)).cert);

test("the certificate is for localhost, its addresses and the host", async () => {
  const certificate = await certificateOf(newState(), "service.example");
  assert.equal(
    certificate.subjectAltName,
    "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:service.example",
  );
  const namesOf = async (host) => (await certificateOf(newState(), host)).subjectAltName ?? "";
  assert.match(await namesOf("10.1.2.3"), /, IP Address:10\.1\.2\.3$/);
  assert.doesNotMatch(await namesOf("localhost"), /localhost.*localhost/);
});

test("the authority signs servers only, and no authority below it", async () => {
  const state = newState();
  const certificate = await certificateOf(state, "h");
  const authority = authorityOf(state);
  assert.equal(authority.ca, true);
  assert.equal(certificate.ca, false);
  assert.ok(certificate.verify(authority.publicKey));
  assert.ok(certificate.checkIssued(authority));
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
});

test("keys and certificates are their owner's alone", async () => {
  const state = newState();
  await certificateFor({ state, host: "h" });
  const mode = (...names) => statSync(join(state, "tls", ...names)).mode & 0o777;
  assert.equal(mode(), 0o700);
  for (const name of ["authority-key.pem", "authority.pem", "service-key.pem", "service.pem"])
    assert.equal(mode(name), 0o600);
});

test("another start has the same certificate", async () => {
  const state = newState();
  const first = await certificateFor({ state, host: "h" });
  assert.deepEqual(await certificateFor({ state, host: "h" }), first);
});

test("a changed host renews the certificate, not the authority", async () => {
  const state = newState();
  const first = await certificateOf(state, "one.example");
  const authority = authorityOf(state);
  const second = await certificateOf(state, "two.example");
  assert.notEqual(second.fingerprint256, first.fingerprint256);
  assert.ok(second.checkHost("two.example"));
  assert.equal(authorityOf(state).fingerprint256, authority.fingerprint256);
  assert.ok(second.verify(authority.publicKey));
});

test("a certificate is renewed before it ends, the authority kept", async () => {
  const state = newState();
  const first = await certificateOf(state, "h");
  const authority = authorityOf(state);
  assert.equal((await certificateOf(state, "h", inDays(300))).fingerprint256, first.fingerprint256);
  const renewed = await certificateOf(state, "h", inDays(380));
  assert.notEqual(renewed.fingerprint256, first.fingerprint256);
  assert.ok(renewed.verify(authority.publicKey));
  assert.equal(authorityOf(state).fingerprint256, authority.fingerprint256);
});

test("an authority that ends before its certificate is made anew", async () => {
  const state = newState();
  await certificateOf(state, "h");
  const authority = authorityOf(state);
  const certificate = await certificateOf(state, "h", inDays(3_600));
  assert.notEqual(authorityOf(state).fingerprint256, authority.fingerprint256);
  assert.ok(certificate.verify(authorityOf(state).publicKey));
});

test("a certificate that is broken is made anew", async () => {
  const state = newState();
  await certificateFor({ state, host: "h" });
  writeFileSync(join(state, "tls", "service.pem"), "half a certif");
  assert.ok((await certificateOf(state, "h")).verify(authorityOf(state).publicKey));
});

test("an authority that is broken is said to be, and not replaced", async () => {
  const state = newState();
  await certificateFor({ state, host: "h" });
  writeFileSync(authorityFile(state), "nonsense");
  await assert.rejects(
    certificateFor({ state, host: "h" }),
    /does not hold the certificate authority .* Remove the folder/,
  );
  assert.equal(readFileSync(authorityFile(state), "utf8"), "nonsense");
});
