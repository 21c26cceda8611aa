// Which tokens allow a REST operation: those signed for its URL.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { expectUnauthorized, MISSING_TOKEN } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { inMinutes, sign } from "../../support/token.mjs";
import { until } from "../../support/waiting.mjs";
import { cases } from "../../support/cases.mjs";

forEachShardCount(
  "REST tokens",
  (service) => {
    const hub = service.newHub();
    const path = () => `/api/hubs/${hub.name}/users/al%20ice`;
    const at = async (token) => (await hub.rest("HEAD", "/users/al%20ice", { token })).status;
    const host = () => service.endpoint.slice("http://".length);

    test("the audience is the request's URL or one below, any scheme", async () => {
      for (const aud of [
        `http://${host()}${path()}`,
        `https://${host()}${path()}?maxpagesize=99`,
        `ws://${host()}${path()}/`,
        `wss://${host()}${path()}/child`,
        `HTTP://${host().toUpperCase()}${path().toUpperCase()}`,
        `http://${host()}/api/hubs/${hub.name}/users/al ice`,
        ["http://elsewhere.example/", `http://${host()}${path()}`],
      ]) {
        assert.equal(await at(sign({ aud }, service.key)), 404, String(aud));
      }
    });

    test("any other audience gets 401", async () => {
      for (const aud of [
        undefined,
        "",
        [],
        "no url",
        `ftp://${host()}${path()}`,
        `http://${host()}${path()}Suffix`,
        `http://${host()}${path()}%253Fquery`,
        `http://${host()}/api/hubs/${hub.name}`,
        `http://${host()}/api/hubs/${hub.name}/users`,
        `http://${host()}/api/hubs/${hub.name}/users/bob`,
        `http://${host()}/api/hubs/other/users/al%20ice`,
        `http://${host()}`,
        `http://elsewhere.example${path()}`,
        `http://127.0.0.1:1${path()}`,
        hub.audience,
        "https://webpubsub.azure.com",
      ]) {
        assert.equal(await at(sign({ aud }, service.key)), 401, String(aud));
      }
    });

    test("key, algorithm and times are checked", async () => {
      const aud = `${service.endpoint}${path()}`;
      for (const [expected, what, token] of cases([
        [404, "the secondary key", sign({ aud }, service.secondaryKey)],
        [404, "expired four minutes ago", sign({ aud, exp: inMinutes(-4) }, service.key)],
        [
          404,
          "a name, as Python signs it",
          sign({ aud, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": "x" }, service.key),
        ],
        [401, "expired six minutes ago", sign({ aud, exp: inMinutes(-6) }, service.key)],
        [401, "not yet", sign({ aud, nbf: inMinutes(6) }, service.key)],
        [401, "no expiry", sign({ aud, exp: undefined }, service.key)],
        [401, "another key", sign({ aud }, "another-key-of-forty-eight-characters-or-so-____")],
        [401, "no signature", sign({ aud }, service.key, { alg: "none" })],
        [401, "another algorithm", sign({ aud }, service.key, { alg: "HS384" })],
        [401, "a client's token", hub.token()],
        [401, "a word", "token"],
        [401, "nothing", ""],
      ])) {
        assert.equal(await at(token), expected, what);
      }
    });

    test("a refusal says in answer and log which check failed", async () => {
      const aud = `${service.endpoint}${path()}`;
      for (const [token, message] of [
        ["", MISSING_TOKEN],
        [sign({ aud, exp: inMinutes(-6) }, service.key), "The access token has expired (`exp`)."],
        [hub.token(), "The access token's audience (`aud`) names another path than the request."],
      ]) {
        const line = { level: "warning", failed: "authorising a REST request", error: message };
        const before = service.logged(line);
        expectUnauthorized(await hub.rest("DELETE", "/users/al%20ice/groups", { token }), message);
        await until(() => setImmediate(service.logged(line) > before), `a line in the log: ${message}`);
        assert.ok(!token || !service.output.includes(token), "no token in the log");
      }
    });

    test("a proxy's headers open only hosts that the operator allows", async () => {
      const token = sign({ aud: `https://elsewhere.example${path()}` }, service.key);
      for (const headers of [
        { "x-forwarded-host": "elsewhere.example" },
        { forwarded: "host=elsewhere.example;proto=https" },
      ]) {
        assert.equal((await hub.rest("HEAD", "/users/al%20ice", { token, headers })).status, 401);
      }
    });

    test("the scheme is Bearer, in any case", async () => {
      const token = sign({ aud: `${service.endpoint}${path()}` }, service.key);
      for (const [scheme, expected] of cases([
        ["bearer", 404],
        ["BEARER", 404],
        ["Basic", 401],
        ["", 401],
      ])) {
        const { status } = await hub.rest("HEAD", "/users/al%20ice", {
          token: "",
          headers: { authorization: `${scheme} ${token}` },
        });
        assert.equal(status, expected, scheme);
      }
    });
  },
  { steady: "it is about requests that no shard has to do with" },
);
