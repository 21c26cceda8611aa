// Which tokens open a connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { expectUnauthorized, upgrade } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, Socket } from "../../support/socket.mjs";
import { clientClaims, inMinutes, sign } from "../../support/token.mjs";
import { until } from "../../support/waiting.mjs";
import { cases } from "../../support/cases.mjs";

forEachShardCount(
  "Client tokens",
  (service) => {
    const hub = service.newHub();
    const at = (token) => upgrade(service.endpoint, `/client/hubs/${hub.name}?access_token=${token}`);
    const claims = (more) => ({ ...clientClaims({ audience: hub.audience }), ...more });
    const rows = (cases, status, tokenOf) => async () => {
      for (const [name, value] of Object.entries(cases())) {
        assert.equal((await at(tokenOf(value))).status, status, name);
      }
    };

    test(
      "claims that let a client in",
      rows(
        () => ({
          "what the SDKs sign": {},
          "no iat": { iat: undefined },
          "issued tomorrow": { iat: inMinutes(24 * 60) },
          "expired four minutes ago, clocks being what they are": { exp: inMinutes(-4) },
          "not before four minutes from now": { nbf: inMinutes(4) },
          "an issuer, which is not checked": { iss: "https://elsewhere.example" },
          "https for http": { aud: hub.audience.replace("http:", "https:") },
          "wss for http": { aud: hub.audience.replace("http:", "wss:") },
          "another case of host and path": { aud: hub.audience.toUpperCase() },
          "a slash at the end": { aud: `${hub.audience}/` },
          "a query": { aud: `${hub.audience}?hub=other` },
          "one of several audiences": { aud: ["https://elsewhere.example/client/hubs/chat", hub.audience] },
          "unknown claims": { later: { a: [1] } },
          "an expiry in a string": { exp: String(inMinutes(5)) },
        }),
        101,
        (more) => sign(claims(more), service.key),
      ),
    );

    test(
      "claims that do not",
      rows(
        () => ({
          "no expiry": { exp: undefined },
          "expired six minutes ago": { exp: inMinutes(-6) },
          "an expiry in words": { exp: "tomorrow" },
          "a user that is a boolean": { sub: true },
          "not before six minutes from now": { nbf: inMinutes(6) },
          "no audience": { aud: undefined },
          "an empty audience": { aud: [] },
          "another hub": { aud: `${hub.audience}x` },
          "another host": { aud: hub.audience.replace("127.0.0.1", "example.com") },
          "another port": { aud: hub.audience.replace(/:\d+\//, ":1/") },
          "the REST API's path": { aud: `${service.endpoint}/api/hubs/${hub.name}` },
          "MQTT's path": { aud: `${service.endpoint}/clients/mqtt/hubs/${hub.name}` },
          "a prefix of the path": { aud: `${service.endpoint}/client/hubs` },
          "a scheme that is none of the web's": { aud: hub.audience.replace("http:", "ftp:") },
        }),
        401,
        (more) => sign(claims(more), service.key),
      ),
    );

    test(
      "tokens that are none, or are signed otherwise",
      rows(
        () => {
          const [header, payload, signature] = sign(claims({}), service.key).split(".");
          return {
            "a word": "token",
            dots: "..",
            "another key": sign(claims({}), "another-key-of-forty-eight-characters-or-so-____"),
            "no signature": sign(claims({}), service.key, { alg: "none" }),
            "a signature of nothing": `${header}.${payload}.`,
            "half a signature": `${header}.${payload}.${signature.slice(0, 20)}`,
            "claims of another token": `${header}.${sign(claims({ sub: "eve" }), "k").split(".")[1]}.${signature}`,
            "another algorithm": sign(claims({}), service.key, { alg: "HS512" }),
            "an algorithm in lower case": sign(claims({}), service.key, { alg: "HS256", header: { alg: "hs256" } }),
          };
        },
        401,
        (token) => token,
      ),
    );

    test("at the legacy URL, its own address is an audience too", async () => {
      const legacy = (token) => upgrade(service.endpoint, `/client/?hub=${hub.name}&access_token=${token}`);
      for (const [aud, status] of cases([
        [hub.audience, 101],
        [`${service.endpoint}/client/?hub=${hub.name}`, 101],
        [`${service.endpoint}/client?hub=${hub.name}`, 101],
        [`${service.endpoint}/client/?hub=other`, 401],
        [`${service.endpoint}/client/`, 401],
      ])) {
        assert.equal((await legacy(sign(claims({ aud }), service.key))).status, status, aud);
      }
    });

    test("an escaped hub may stand in the audience either way", async () => {
      const odd = Object.assign(service.newHub(), { name: "Chat.[1]" });
      for (const name of [odd.name, encodeURIComponent(odd.name), "chat%2E%5b1%5d"]) {
        const token = sign(claims({ aud: `${service.endpoint}/client/hubs/${name}` }), service.key);
        assert.equal(
          (await upgrade(service.endpoint, `/client/hubs/${encodeURIComponent(odd.name)}?access_token=${token}`))
            .status,
          101,
          name,
        );
      }
    });

    test("roles and groups are a string, a list or repeated claims", async () => {
      const open = JSON.stringify(claims({})).slice(0, -1);
      for (const [more, groups, roles] of cases([
        ['"role":"webpubsub.sendToGroup","webpubsub.group":"one"', ["one"], [false, true]],
        [
          '"role":["webpubsub.joinLeaveGroup","webpubsub.sendToGroup"],"webpubsub.group":["one","two"]',
          ["one", "two"],
          [true, true],
        ],
        [
          '"role":"webpubsub.joinLeaveGroup","webpubsub.group":"one","role":"webpubsub.sendToGroup","webpubsub.group":"two"',
          ["one", "two"],
          [true, true],
        ],
      ])) {
        const socket = await Socket.open(`${hub.url}?access_token=${sign(`${open},${more}}`, service.key)}`, {
          protocols: JSON_V1,
        });
        await socket.json("the connected message");
        for (const group of groups) {
          await hub.send(`/groups/${group}`, group);
          assert.equal((await socket.json()).data, group, more);
        }
        const may = async (type, ackId) =>
          (await socket.ask({ type, group: "other", data: 1, noEcho: true, ackId })).success;
        assert.deepEqual([await may("joinGroup", 1), await may("sendToGroup", 2)], roles, more);
        socket.cut();
      }
    });

    test("a user or a group that is a number is its text", async () => {
      const token = sign(claims({ sub: 42, "webpubsub.group": [7] }), service.key);
      const socket = await Socket.open(`${hub.url}?access_token=${token}`, { protocols: JSON_V1 });
      assert.equal((await socket.json("the connected message")).userId, "42");
      await hub.send("/users/42", "to the user");
      await hub.send("/groups/7", "to the group");
      for (const data of ["to the user", "to the group"]) assert.equal((await socket.json()).data, data);
    });

    test("a refusal names the failed check, not the expected value", async () => {
      // A hub of its own, whose lines in the log are this test's.
      const hub = service.newHub();
      const claims = (more) => ({ ...clientClaims({ audience: hub.audience }), ...more });
      const malformed =
        "The access token is malformed: it is no JSON Web Token, or a claim has another type than it should.";
      for (const [token, message] of [
        ["token", malformed],
        [sign(claims({ sub: true }), service.key), malformed],
        [sign(claims({}), service.key, { alg: "none" }), "The access token is not signed with HS256."],
        [
          sign(claims({}), "another-key-of-forty-eight-characters-or-so-____"),
          "The access token's signature is invalid: no access key of this service made it.",
        ],
        [sign(claims({ exp: undefined }), service.key), "The access token has no expiry (`exp`)."],
        [sign(claims({ exp: inMinutes(-6) }), service.key), "The access token has expired (`exp`)."],
        [sign(claims({ nbf: inMinutes(6) }), service.key), "The access token is not valid yet (`nbf`)."],
        [sign(claims({ aud: undefined }), service.key), "The access token has no audience (`aud`)."],
        [
          sign(claims({ aud: "chat" }), service.key),
          "The access token's audience (`aud`) has another scheme than http, https, ws or wss.",
        ],
        [
          sign(claims({ aud: "https://elsewhere.example/client/hubs/chat" }), service.key),
          "The access token's audience (`aud`) names another host than the request.",
        ],
        [
          sign(claims({ aud: ["chat", `${hub.audience}x`] }), service.key),
          "The access token's audience (`aud`) names another path than the request.",
        ],
      ]) {
        const line = { level: "warning", failed: `authorising a client of hub ${hub.name}`, error: message };
        const before = service.logged(line);
        const refused = await Socket.open(`${hub.url}?access_token=${token}`).then(
          () => assert.fail(message),
          (refusal) => refusal,
        );
        expectUnauthorized(refused, message);
        assert.ok(refused.body.length < 300, refused.body);
        await until(() => setImmediate(service.logged(line) === before + 1), `one line in the log: ${message}`);
        assert.ok(token === "token" || !service.output.includes(token), "no token in the log");
      }
    });

    test("the secondary key signs as well as the primary", async () => {
      assert.equal((await at(sign(claims({}), service.secondaryKey))).status, 101);
    });

    test("a key id in the header is no hindrance", async () => {
      assert.equal((await at(sign(claims({}), service.key, { header: { kid: "1" } }))).status, 101);
    });

    test("the token may come in the header, and the query's wins", async () => {
      const header = (scheme, token) => ({ headers: { authorization: `${scheme} ${token}` } });
      for (const scheme of ["Bearer", "bearer", "BEARER"]) {
        (await Socket.open(hub.url, header(scheme, hub.token()))).cut();
      }
      await assert.rejects(Socket.open(hub.url, header("Basic", hub.token())), { status: 401 });
      await assert.rejects(Socket.open(`${hub.url}?access_token=no`, header("Bearer", hub.token())), { status: 401 });
      (await Socket.open(hub.clientUrl(), header("Bearer", "no"))).cut();
    });

    test("the parameter's name is read without regard to case", async () => {
      (await Socket.open(`${hub.url}?Access_Token=${hub.token()}`)).cut();
    });

    test("a hub's case does not matter, in the URL or in the token", async () => {
      const socket = await Socket.open(hub.clientUrl().replace(hub.name, hub.name.toUpperCase()));
      await hub.send("", "one hub");
      assert.equal(await socket.next(), "one hub");
    });
  },
  { steady: "it is about requests that no shard has to do with" },
);
