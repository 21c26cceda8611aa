// Publishing over REST: to whom, in which words, and what is not accepted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { expectError } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { cases } from "../../support/cases.mjs";

const LIMIT = 1_048_576;
const server = (dataType, data) => ({ type: "message", from: "server", dataType, data });

forEachShardCount("REST publishing", (service) => {
  const post = (hub, body, headers = {}, query = {}, target = "") =>
    hub.rest("POST", `${target}/:send`, { headers: { "content-type": "text/plain", ...headers }, body, query });
  const refused = (answer, message) =>
    expectError(answer, 400, { code: "Error.BadRequest", target: "Request", message });

  test("to all, a group, a user or a connection, and no others", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ user: "alice", groups: ["room"] });
    const alsoAlice = await hub.connect({ user: "alice" });
    const bob = await hub.connect({ user: "bob", groups: ["room"] });
    await hub.send("/groups/room", "to the room");
    await hub.send("/users/alice", "to alice");
    await hub.send(`/connections/${bob.id}`, "to bob's connection");
    await hub.send("", "to all");
    const fromGroup = { type: "message", from: "group", group: "room", dataType: "text", data: "to the room" };
    const expected = cases([
      [alice, [fromGroup, server("text", "to alice"), server("text", "to all")]],
      [alsoAlice, [server("text", "to alice"), server("text", "to all")]],
      [bob, [fromGroup, server("text", "to bob's connection"), server("text", "to all")]],
    ]);
    for (const [socket, messages] of expected) {
      for (const message of messages) assert.deepEqual(await socket.json(), message);
      await socket.expectSilence();
    }
  });

  test("a publish without receivers is no error", async () => {
    const hub = service.newHub();
    for (const target of [
      "",
      "/groups/empty",
      "/users/unknown",
      "/connections/unknown",
      "/connections/AAAAAAAAAAAAAAAAAAAAAAAAAA",
    ]) {
      await hub.send(target, "hello?");
    }
  });

  test("excluded connections receive nothing", async () => {
    const hub = service.newHub();
    const sockets = await Promise.all([1, 2, 3].map(() => hub.connect({ groups: ["room"] })));
    const [first, second, third] = sockets;
    const query = [
      ["excluded", first.id],
      ["excluded", second.id],
      ["excluded", "unknown"],
    ];
    await hub.send("", "all but two", { query });
    await hub.send("/groups/room", "members but two", { query });
    await hub.send("", "all");
    assert.equal((await third.json()).data, "all but two");
    assert.equal((await third.json()).data, "members but two");
    for (const socket of sockets) assert.equal((await socket.json()).data, "all");
  });

  test("all of a user's connections receive, and none is excluded", async () => {
    const hub = service.newHub();
    const sockets = [await hub.connect({ user: "alice" }), await hub.connectReliable({ user: "alice" })];
    const other = await hub.connect({ user: "Alice" });
    await hub.send("/users/alice", "to alice", { query: { excluded: sockets[0].id } });
    for (const socket of sockets) assert.equal((await socket.json()).data, "to alice");
    await other.expectSilence();
  });

  test("the content type decides how the body is delivered", async () => {
    const hub = service.newHub();
    const socket = await hub.connect();
    const bytes = Buffer.from([0, 1, 255]);
    for (const [type, body, message] of cases([
      ["text/plain", "grüße 🚀", server("text", "grüße 🚀")],
      ["text/plain; charset=utf-8", "é", server("text", "é")],
      ["TEXT/PLAIN;charset=UTF-8", "é", server("text", "é")],
      ['text/plain; charset="utf-8"', "é", server("text", "é")],
      ["text/plain; charset=iso-8859-1", Buffer.from([0xe9]), server("text", "é")],
      ["text/plain; charset=utf-16le", Buffer.from("é🚀", "utf16le"), server("text", "é🚀")],
      ["text/plain", "", server("text", "")],
      ["application/json", '{"a":[1,null]}', server("json", { a: [1, null] })],
      ["application/json; charset=utf-8", '"text"', server("json", "text")],
      ["application/json; charset=utf-16le", Buffer.from('{"a":"é🚀"}', "utf16le"), server("json", { a: "é🚀" })],
      ["application/json", " 1 ", server("json", 1)],
      ["application/octet-stream", bytes, server("binary", bytes.toString("base64"))],
      ["application/octet-stream", "", server("binary", "")],
    ])) {
      await hub.send("", body, { type });
      assert.deepEqual(await socket.json(), message, type);
    }
    assert.equal((await hub.rest("POST", "/:send", { body: bytes })).status, 202);
    assert.deepEqual(await socket.json(), server("binary", bytes.toString("base64")), "no content type");
  });

  test("JSON is delivered letter for letter", async () => {
    const hub = service.newHub();
    const socket = await hub.connect();
    await hub.send("", '{"n":12345678901234567890.10,"a":"\\u0041","a":2}', { type: "application/json" });
    assert.equal(
      await socket.next(),
      '{"type":"message","from":"server","dataType":"json","data":{"n":12345678901234567890.10,"a":"\\u0041","a":2}}',
    );
  });

  test("other content types get 415, and nothing is sent", async () => {
    const hub = service.newHub();
    const socket = await hub.connect();
    for (const type of [
      "application/x-protobuf",
      "text/html",
      "text",
      "text/plain; charset=klingon",
      "application/json; charset=klingon",
      "application/xml",
      "*/*",
      "application/json/more",
    ]) {
      assert.equal((await post(hub, "{}", { "content-type": type })).status, 415, type);
    }
    await socket.expectSilence();
  });

  test("JSON that is none gets 400", async () => {
    const hub = service.newHub();
    for (const body of ["", "{", "hello", "{} {}", "'a'", Buffer.from([0x22, 0xff, 0x22])]) {
      refused(await post(hub, body, { "content-type": "application/json" }), "The request body is not a valid JSON.");
    }
  });

  test("JSON null gets 400, since clients drop it without a word", async () => {
    refused(await post(service.newHub(), " null ", { "content-type": "application/json" }));
  });

  test("a body of 1 MiB is accepted, one byte more gets 400", async () => {
    const hub = service.newHub();
    const socket = await hub.connectSimple();
    await hub.send("", "x".repeat(LIMIT));
    assert.equal((await socket.next()).length, LIMIT);
    refused(await post(hub, "x".repeat(LIMIT + 1)), "Invalid Content-Length header.");
    refused(await post(hub, Buffer.alloc(LIMIT + 1), { "content-type": "application/octet-stream" }));
  });

  test("a body without a length is read as it comes, up to the limit", async () => {
    const hub = service.newHub();
    const socket = await hub.connectSimple();
    assert.equal((await post(hub, ["Hello ", "World"])).status, 202);
    assert.equal(await socket.next(), "Hello World");
    refused(await post(hub, [Buffer.alloc(LIMIT), "x"]));
  });

  test("a time to live is 0 to 300 whole seconds", async () => {
    const hub = service.newHub();
    for (const [target, seconds] of cases([
      ["", 0],
      ["/groups/room", 300],
      ["/users/alice", 1],
      ["/connections/c", 60],
    ])) {
      assert.equal((await post(hub, "x", {}, { messageTtlSeconds: seconds }, target)).status, 202);
    }
    for (const seconds of ["-1", "301", "1.5", "soon", "99999999999999999999"]) {
      const answer = await post(hub, "x", {}, { messageTtlSeconds: seconds });
      assert.equal(answer.status, 400, seconds);
      assert.equal(answer.headers["x-ms-error-code"], "Error.BadRequest");
    }
  });

  test("names are decoded once, and a plus is a plus", async () => {
    const hub = service.newHub();
    for (const name of ["a b", "a+b", "a/b", "ä🚀", "%20", "a%2Fb", "?&#", ":send"]) {
      const socket = await hub.connect({ user: name, groups: [name] });
      const escaped = encodeURIComponent(name);
      await hub.send(`/users/${escaped}`, "to the user");
      await hub.send(`/groups/${escaped}`, "to the group");
      assert.equal((await socket.json()).data, "to the user", name);
      assert.equal((await socket.json()).group, name);
      assert.equal(await hub.exists(`/groups/${escaped}`), true, name);
      socket.cut();
    }
  });

  test("metadata headers ride beside the data, in lower case", async () => {
    const hub = service.newHub();
    const socket = await hub.connect();
    const largest = { [`x-webpubsub-metadata-${"k".repeat(256)}`]: "v".repeat(1024) };
    for (const [headers, metadata] of [
      [
        { "X-WebPubSub-Metadata-Trace": "1", "x-webpubsub-metadata-b.c": "~" },
        { trace: "1", "b.c": "~" },
      ],
      [largest, { ["k".repeat(256)]: "v".repeat(1024) }],
    ]) {
      assert.equal((await post(hub, "x", headers)).status, 202);
      assert.deepEqual(await socket.json(), { ...server("text", "x"), metadata });
    }
  });

  test("of several values of a metadata header the last counts", async () => {
    const hub = service.newHub();
    const socket = await hub.connect();
    for (const values of [["first", "final"], "first, final", "first,final"]) {
      const headers = { "content-type": "text/plain", "X-WebPubSub-Metadata-Trace": values };
      assert.equal((await hub.rest("POST", "/:send", { headers, body: "x" })).status, 202);
      assert.deepEqual((await socket.json()).metadata, { trace: "final" });
    }
  });

  test("metadata that breaks a rule gets 400, and nothing is sent", async () => {
    const hub = service.newHub();
    const socket = await hub.connect();
    const header = (key, value) => [`x-webpubsub-metadata-${key}`, value];
    for (const [what, headers] of cases([
      ["no key", [header("", "v")]],
      ["a key of 257 bytes", [header("k".repeat(257), "v")]],
      ["a value beyond ASCII", [header("k", "\u00e9")]],
      ["a value of 1025 bytes", [header("k", "v".repeat(1025))]],
      ["more than 8 KiB in all", Array.from({ length: 9 }, (_, n) => header(`k${n}`, "v".repeat(1000)))],
    ])) {
      const { status, headers: answered } = await post(hub, "x", Object.fromEntries(headers));
      assert.deepEqual([status, answered["x-ms-error-code"]], [400, "Error.BadRequest"], what);
    }
    await socket.expectSilence();
  });
});
