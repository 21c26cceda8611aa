// Which tokens open a connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { upgrade } from "../support/rest.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { JSON_V1, Socket } from "../support/socket.mjs";
import { clientClaims, inMinutes, sign } from "../support/token.mjs";

forEachShardCount("Client tokens", (service) => {
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
        "an issuer, which nobody checks": { iss: "https://elsewhere.example" },
        "https for http": { aud: hub.audience.replace("http:", "https:") },
        "wss for http": { aud: hub.audience.replace("http:", "wss:") },
        "another case of host and path": { aud: hub.audience.toUpperCase() },
        "a slash at the end": { aud: `${hub.audience}/` },
        "a query": { aud: `${hub.audience}?hub=other` },
        "one of several audiences": { aud: ["https://elsewhere.example/client/hubs/chat", hub.audience] },
        "claims that nobody knows": { later: { a: [1] } },
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
          "dots": "..",
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
    for (const [aud, status] of [
      [hub.audience, 101],
      [`${service.endpoint}/client/?hub=${hub.name}`, 101],
      [`${service.endpoint}/client?hub=${hub.name}`, 101],
      [`${service.endpoint}/client/?hub=other`, 401],
      [`${service.endpoint}/client/`, 401],
    ]) {
      assert.equal((await legacy(sign(claims({ aud }), service.key))).status, status, aud);
    }
  });

  test("a hub that has to be escaped may stand in the audience either way", async () => {
    const odd = Object.assign(service.newHub(), { name: "Chat.[1]" });
    for (const name of [odd.name, encodeURIComponent(odd.name), "chat%2E%5b1%5d"]) {
      const token = sign(claims({ aud: `${service.endpoint}/client/hubs/${name}` }), service.key);
      assert.equal((await upgrade(service.endpoint, `/client/hubs/${encodeURIComponent(odd.name)}?access_token=${token}`)).status, 101, name);
    }
  });

  test("roles and groups are one string, a list, or claims that are repeated", async () => {
    const open = JSON.stringify(claims({})).slice(0, -1);
    for (const [more, groups, roles] of [
      ['"role":"webpubsub.sendToGroup","webpubsub.group":"one"', ["one"], [false, true]],
      ['"role":["webpubsub.joinLeaveGroup","webpubsub.sendToGroup"],"webpubsub.group":["one","two"]', ["one", "two"], [true, true]],
      [
        '"role":"webpubsub.joinLeaveGroup","webpubsub.group":"one","role":"webpubsub.sendToGroup","webpubsub.group":"two"',
        ["one", "two"],
        [true, true],
      ],
    ]) {
      const socket = await Socket.open(`${hub.url}?access_token=${sign(`${open},${more}}`, service.key)}`, { protocols: JSON_V1 });
      await socket.json("the connected message");
      for (const group of groups) {
        await hub.send(`/groups/${group}`, group);
        assert.equal((await socket.json()).data, group, more);
      }
      const may = async (type, ackId) => (await socket.ask({ type, group: "other", data: 1, noEcho: true, ackId })).success;
      assert.deepEqual([await may("joinGroup", 1), await may("sendToGroup", 2)], roles, more);
      socket.cut();
    }
  });

  test("the secondary key signs as well as the primary", async () => {
    assert.equal((await at(sign(claims({}), service.secondaryKey))).status, 101);
  });

  test("a key id in the header is no hindrance", async () => {
    assert.equal((await at(sign(claims({}), service.key, { header: { kid: "1" } }))).status, 101);
  });

  test("the token may come in the header instead, and the query's wins", async () => {
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
}, { steady: "it is about requests that no shard has to do with" });
