// Keys, connection strings and client URLs.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  accessKeys,
  clientUrl,
  connectionString,
  deployment,
  endpoint,
  groupName,
  handlerSecrets,
  hubName,
  keepDeployment,
  keptSecret,
  parseVars,
  portalSecret,
  primaryKey,
  requestToken,
  secretFor,
  serviceHosts,
  signInLink,
  weakKeys,
} from "../../scripts/access.mjs";

const folder = mkdtempSync(join(tmpdir(), "access-"));
after(() => rmSync(folder, { recursive: true }));

const url = "http://localhost:8080";
const NOW = 1_700_000_000_999;

function read(text, key) {
  const parsed = new URL(text);
  const address = `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  return { address, ...readToken(parsed.searchParams.get("access_token"), key) };
}

function readToken(token, key) {
  const [head, body, signature] = token.split(".");
  assert.equal(createHmac("sha256", key).update(`${head}.${body}`).digest("base64url"), signature);
  const json = (part) => JSON.parse(Buffer.from(part, "base64url").toString());
  return { head: json(head), claims: json(body) };
}

test("a client URL is the hub's address with a signed token", () => {
  const request = { hub: "myHub1", user: "ann", roles: ["webpubsub.sendToGroup"], groups: ["a", "b c"], minutes: 5 };
  assert.deepEqual(read(clientUrl(request, { url, key: "k", now: NOW }), "k"), {
    address: "ws://localhost:8080/client/hubs/myHub1",
    head: { alg: "HS256", typ: "JWT" },
    claims: {
      aud: "http://localhost:8080/client/hubs/myHub1",
      iat: 1_700_000_000,
      exp: 1_700_000_300,
      sub: "ann",
      role: ["webpubsub.sendToGroup"],
      "webpubsub.group": ["a", "b c"],
    },
  });
});

test("what was not asked for is not claimed", () => {
  const { claims } = read(clientUrl({ hub: "h" }, { url, key: "k", now: NOW }), "k");
  assert.deepEqual(Object.keys(claims), ["aud", "iat", "exp"]);
  assert.equal(claims.exp - claims.iat, 3_600);
});

test("a secure endpoint gives a secure client URL", () => {
  const { address, claims } = read(clientUrl({ hub: "h" }, { url: "https://example.com", key: "k" }), "k");
  assert.equal(address, "wss://example.com/client/hubs/h");
  assert.equal(claims.aud, "https://example.com/client/hubs/h");
});

test("a token for requests names their URL", () => {
  assert.deepEqual(
    readToken(requestToken({ path: "/management/hubs/h", minutes: 5 }, { url, key: "k", now: NOW }), "k"),
    {
      head: { alg: "HS256", typ: "JWT" },
      claims: { aud: "http://localhost:8080/management/hubs/h", iat: 1_700_000_000, exp: 1_700_000_300 },
    },
  );
});

test("hub names are kept as typed, and checked", () => {
  for (const name of ["h", "myHub1", "a_b", "A`,.[]", "x".repeat(128)]) assert.equal(hubName(name), name);
  for (const name of ["", "1h", "_h", "h-1", "h h", "h/", "x".repeat(129), "é"])
    assert.throws(() => hubName(name), /--hub must be/);
});

test("group names are any 1 to 1024 characters, not only blanks", () => {
  for (const name of ["g", " g ", "a/b?c", "é", "x".repeat(1024), "🙂".repeat(1024)])
    assert.equal(groupName(name), name);
  for (const name of ["", " ", "\t\n", "x".repeat(1025)]) assert.throws(() => groupName(name), /--group must be/);
});

test("addresses of this machine are localhost to people", () => {
  for (const host of ["127.0.0.1", "::1", "0.0.0.0", "::", "localhost"])
    assert.equal(endpoint({ host, port: 1 }), "http://localhost:1");
  assert.equal(endpoint({ host: "10.0.0.1", port: 80 }), "http://10.0.0.1:80");
  assert.equal(endpoint({ host: "fd00::1", port: 80 }), "http://[fd00::1]:80");
});

test("the connection string has the three parts that the SDKs read", () => {
  assert.equal(connectionString(url, "k"), "Endpoint=http://localhost:8080;AccessKey=k;Version=1.0;");
});

test("the environment's keys win over the file's", () => {
  const file = join(folder, "both");
  writeFileSync(file, "WEBPUBSUB_ACCESS_KEY=stored\nWEBPUBSUB_ACCESS_KEY_SECONDARY='second'\n");
  assert.deepEqual(accessKeys({}, file), { WEBPUBSUB_ACCESS_KEY: "stored", WEBPUBSUB_ACCESS_KEY_SECONDARY: "second" });
  assert.equal(primaryKey(accessKeys({ WEBPUBSUB_ACCESS_KEY: "given" }, file)), "given");
});

test("the first run writes a private random key; the next reads it", () => {
  const file = join(folder, "first");
  const key = primaryKey(accessKeys({}, file));
  assert.match(key, /^[A-Za-z0-9_-]{64}$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(primaryKey(accessKeys({}, file)), key);
  assert.notEqual(primaryKey(accessKeys({}, join(folder, "second"))), key);
});

test("a file with other variables keeps them", () => {
  const file = join(folder, "others");
  writeFileSync(file, "OTHER=1");
  const key = primaryKey(accessKeys({}, file));
  assert.equal(readFileSync(file, "utf8"), `OTHER=1\nWEBPUBSUB_ACCESS_KEY=${key}\n`);
});

test("secrets come from the environment, else the file, no others", () => {
  const file = join(folder, "secrets");
  writeFileSync(file, "HANDLER_SECRET_A=stored\nHANDLER_SECRET_B=stored\nOTHER=1\n");
  assert.deepEqual(handlerSecrets({ HANDLER_SECRET_B: "given", PATH: "/bin" }, file), {
    HANDLER_SECRET_A: "stored",
    HANDLER_SECRET_B: "given",
  });
  assert.deepEqual(handlerSecrets({}, join(folder, "nowhere")), {});
});

test("a key is weak below 32 bytes", () => {
  assert.deepEqual(weakKeys({ A: "x".repeat(31), B: "x".repeat(32), C: "é".repeat(16), D: "é".repeat(15) }), [
    "A",
    "D",
  ]);
});

test("a deployment's record is private; the environment's key wins", () => {
  const file = join(folder, "deployed");
  keepDeployment({ endpoint: "https://h", key: "stored" }, file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(deployment({}, file), { endpoint: "https://h", key: "stored", storedKey: "stored" });
  assert.deepEqual(deployment({ WEBPUBSUB_ACCESS_KEY: "given" }, file), {
    endpoint: "https://h",
    key: "given",
    storedKey: "stored",
  });
  keepDeployment({ endpoint: "https://h", key: undefined }, file);
  assert.deepEqual(deployment({}, file), { endpoint: "https://h", key: undefined, storedKey: undefined });
});

test("a key in the environment writes no file", () => {
  const file = join(folder, "none");
  accessKeys({ WEBPUBSUB_ACCESS_KEY: "given" }, file);
  assert.throws(() => statSync(file), { code: "ENOENT" });
});

test("variables are read with or without quotes, comments skipped", () => {
  const text = "# a comment\nA=1\n B = two words \nC=\"x\"\nD='y=z'\nexport E=`w`\nnonsense\r\nF=\r\n";
  assert.deepEqual(parseVars(text), { A: "1", B: "two words", C: "x", D: "y=z", E: "w", F: "" });
});

test("a service has the hosts that its clients ask, as in URLs", () => {
  for (const host of ["127.0.0.1", "0.0.0.0", "localhost"])
    assert.deepEqual(serviceHosts({ host, port: 81 }), ["localhost:81", "127.0.0.1:81"]);
  assert.deepEqual(serviceHosts({ host: "::1", port: 81 }), ["localhost:81", "127.0.0.1:81", "[::1]:81"]);
  assert.deepEqual(serviceHosts({ host: "Chat.Example", port: 80 }), ["chat.example"]);
  const both = ["localhost:8080", "127.0.0.1:8080", "localhost", "127.0.0.1"];
  assert.deepEqual(serviceHosts({ host: "127.0.0.1", port: 8080, https: { port: 443 } }), both);
  assert.deepEqual(serviceHosts({ host: "fd00::1", port: 8080 }), ["[fd00::1]:8080"]);
});

test("the portal's secret is the environment's, or the file's", () => {
  const file = join(folder, "portal");
  assert.deepEqual(portalSecret("", {}, file), {});
  assert.deepEqual(portalSecret("made-for-the-state", {}, file), { PORTAL_SECRET: "made-for-the-state" });
  writeFileSync(file, "PORTAL_SECRET=stored-in-a-file\n");
  assert.deepEqual(portalSecret("made-for-the-state", {}, file), { PORTAL_SECRET: "stored-in-a-file" });
  const given = { PORTAL_SECRET: "given-to-the-command" };
  assert.deepEqual(portalSecret("made-for-the-state", given, file), given);
  assert.throws(
    () => portalSecret("", { PORTAL_SECRET: "too-short" }, file),
    /PORTAL_SECRET has fewer than 16 characters/,
  );
});

test("a state folder keeps a random secret of its own", () => {
  const [one, other] = ["one", "other"].map((name) => mkdtempSync(join(folder, name)));
  assert.equal(keptSecret(one), "");
  const secret = secretFor(one);
  assert.ok(secret.length >= 32);
  assert.deepEqual([secretFor(one), keptSecret(one)], [secret, secret]);
  assert.equal(statSync(join(one, "portal-secret")).mode & 0o777, 0o600);
  assert.notEqual(secretFor(other), secret);
});

test("a link signs in for a day, with an id of its own", () => {
  const link = () => signInLink({ url, key: "key", now: NOW });
  const [page, ticket] = link().split("#ticket=");
  assert.equal(page, `${url}/`);
  const { claims } = readToken(ticket, "key");
  assert.equal(claims.aud, `${url}/management/session`);
  assert.equal(claims.exp - claims.iat, 24 * 60 * 60);
  assert.ok(claims.jti.length >= 20 && claims.jti.length <= 64);
  assert.notEqual(link(), link());
  const at = (secure) => signInLink({ url, secure, key: "key", now: NOW }).split("&https=")[1];
  assert.deepEqual(
    [at("https://localhost:8443"), at("https://chat.example"), at(undefined)],
    ["8443", "443", undefined],
  );
});
