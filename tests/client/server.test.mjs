// The package's module for servers: client URLs, negotiate endpoints and event handlers, as `Request` and `Response`.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import { test } from "node:test";
import { loadOurClient } from "../support/our-client.mjs";
import { portOf } from "../support/port.mjs";
import { claimsOf } from "../support/token.mjs";
import { readVectors } from "../support/vectors.mjs";

const { eventHandler, getClientAccessToken, negotiate, refuse, reply, toNodeHandler } = await loadOurClient("./server");

const KEY = "0123456789abcdef0123456789abcdef";
const connectionString = `Endpoint=https://example.com;AccessKey=${KEY};Version=1.0;`;
const hub = "chat";
const HANDLER = "https://app.example/api/webpubsub/hubs/chat/";

const signatureOf = (connection, key = KEY) => `sha256=${createHmac("sha256", key).update(connection).digest("hex")}`;

/** An event as the service sends it. `body` is a string, bytes, or a value that is sent as JSON. */
function event(type, { body = {}, contentType = "application/json", headers = {}, url = HANDLER } = {}) {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  return new Request(url, {
    method: "POST",
    headers: {
      "webhook-request-origin": "example.com",
      "ce-awpsversion": "1.0",
      "ce-type": `azure.webpubsub.${type}`,
      "ce-hub": "chat",
      "ce-connectionid": "c1",
      "ce-eventname": type.split(".").at(-1) ?? "",
      "ce-id": "1",
      "ce-signature": signatureOf("c1"),
      "content-type": contentType,
      ...headers,
    },
    body: isRaw ? body : JSON.stringify(body),
  });
}

const answerOf = async (response) => [response.status, response.headers.get("content-type"), await response.text()];

test("a client URL has the token and the claims that the SDKs sign", async () => {
  const { url, baseUrl, token } = await getClientAccessToken(
    { connectionString, hub },
    { userId: "zoë", roles: ["webpubsub.sendToGroup"], groups: ["a"], expirationTimeInMinutes: 5 },
  );
  assert.equal(baseUrl, "wss://example.com/client/hubs/chat");
  assert.equal(url, `${baseUrl}?access_token=${token}`);
  const { iat, exp, ...claims } = claimsOf(token);
  assert.equal(exp - iat, 300);
  assert.deepEqual(claims, {
    aud: "https://example.com/client/hubs/chat",
    sub: "zoë",
    role: ["webpubsub.sendToGroup"],
    "webpubsub.group": ["a"],
  });
  const [head, body, signature] = token.split(".");
  assert.equal(createHmac("sha256", KEY).update(`${head}.${body}`).digest("base64url"), signature);
});

test("a client without a user has no subject", async () => {
  const { token } = await getClientAccessToken({ endpoint: "http://localhost:8080/", accessKey: KEY, hub });
  const { iat, exp, ...claims } = claimsOf(token);
  assert.equal(exp - iat, 3600);
  assert.deepEqual(claims, { aud: "http://localhost:8080/client/hubs/chat" });
});

test("connection strings are read as the service reads them", async () => {
  const audience = async (text) => {
    const { token } = await getClientAccessToken({ connectionString: text, hub });
    return claimsOf(token).aud.replace("/client/hubs/chat", "");
  };
  for (const [text, endpoint] of [
    ["endpoint=https://h/;ACCESSKEY=k", "https://h"],
    ["AccessKey=k;Endpoint=h;Version=1.0;", "https://h"],
    ["Endpoint=HTTP://h;Port=8080;AccessKey=k=;Version=1.0;", "http://h:8080"],
    ["Endpoint=http://[::1];Port=80;AccessKey=k", "http://[::1]:80"],
    [" Endpoint = https://h ; AccessKey = k ;; Extra=1;", "https://h"],
  ])
    assert.equal(await audience(text), endpoint, text);
  /** @type {[string, RegExp][]} */
  const wrong = [
    ["", /no Endpoint/],
    ["Endpoint=https://h", /no AccessKey/],
    ["Endpoint", /not Name=Value/],
    ["Endpoint=h;endpoint=h;AccessKey=k", /repeated/],
    ["Endpoint=ftp://h;AccessKey=k", /endpoint is not/],
    ["Endpoint=https://h/path;AccessKey=k", /endpoint is not/],
    ["Endpoint=https://h:1;AccessKey=k;Port=2", /Port/],
    ["Endpoint=https://h;AccessKey=k;Port=0", /Port/],
    ["Endpoint=https://h;AccessKey=k;Version=2.0", /Version/],
  ];
  for (const [text, words] of wrong)
    await assert.rejects(getClientAccessToken({ connectionString: text, hub }), words, text);
});

test("what the service would refuse is not signed", async () => {
  const make = (client, its = hub) => getClientAccessToken({ connectionString, hub: its }, client);
  await assert.rejects(make({}, "1chat"), /hub must be/);
  await assert.rejects(make({ userId: 1 }), TypeError);
  await assert.rejects(make({ roles: "webpubsub.sendToGroup" }), /roles must be/);
  await assert.rejects(make({ groups: [" "] }), RangeError);
  await assert.rejects(make({ groups: ["g".repeat(1025)] }), RangeError);
  for (const expirationTimeInMinutes of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    await assert.rejects(make({ expirationTimeInMinutes }), /expirationTimeInMinutes/);
});

test("negotiate gives a URL to whom the application knows", async () => {
  const handler = negotiate({
    connectionString,
    hub,
    client: (request, context) => {
      if (request.headers.has("x-blocked")) return new Response("blocked", { status: 403 });
      return request.headers.has("x-user") ? { userId: `${request.headers.get("x-user")}${context ?? ""}` } : null;
    },
  });
  const ask = (headers, method = "GET") => new Request("https://app.example/negotiate", { method, headers });
  const given = await handler(ask({ "x-user": "alice" }), "!");
  assert.equal(given.headers.get("cache-control"), "no-store");
  const { url } = await given.json();
  assert.equal(claimsOf(new URL(url).searchParams.get("access_token")).sub, "alice!");
  const text = await handler(ask({ "x-user": "bob", accept: "text/plain" }, "POST"));
  assert.match(await text.text(), /^wss:\/\/example\.com\/client\/hubs\/chat\?access_token=/);
  assert.equal((await handler(ask({}))).status, 401);
  assert.deepEqual(await answerOf(await handler(ask({ "x-blocked": "1" }))), [
    403,
    "text/plain;charset=UTF-8",
    "blocked",
  ]);
  const refused = await handler(ask({ "x-user": "a" }, "DELETE"));
  assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, POST"]);
});

test("the handshake names the services that may send events", async () => {
  const ask = (handler, origin) =>
    handler(new Request(HANDLER, { method: "OPTIONS", headers: origin ? { "webhook-request-origin": origin } : {} }));
  const allowedOf = async (response) => [response.status, response.headers.get("webhook-allowed-origin")];
  const any = eventHandler({ connectionString, hub });
  assert.deepEqual(await allowedOf(await ask(any, "example.com")), [200, "*"]);
  assert.equal((await ask(any)).status, 400);
  const one = eventHandler({ connectionString, hub, allowedEndpoints: ["https://Example.com:8443"] });
  assert.deepEqual(await allowedOf(await ask(one, "example.com:8443")), [200, "example.com:8443"]);
  assert.deepEqual(await allowedOf(await ask(one, "example.com")), [403, null]);
  assert.equal((await one(event("sys.connected"))).status, 403);
});

test("an event without a signature by a known key is refused", async () => {
  const asked = [];
  const options = { hub, onConnected: ({ connectionId }) => void asked.push(connectionId) };
  const handler = eventHandler({ ...options, connectionString });
  const signed = (signature) => event("sys.connected", { headers: { "ce-signature": signature } });
  const other = signatureOf("c1", "another key");
  for (const signature of [
    "",
    other,
    signatureOf("c2"),
    signatureOf("c1").replace("sha256=", ""),
    signatureOf("c1").slice(0, -1),
    `${`${other},`.repeat(4)}${signatureOf("c1")}`,
  ])
    assert.equal((await handler(signed(signature))).status, 401, signature);
  assert.deepEqual(asked, []);
  assert.equal((await handler(signed(`${other},${signatureOf("c1")}`))).status, 204);
  assert.equal((await handler(signed(signatureOf("c1").toUpperCase().replace("SHA256", "sha256")))).status, 204);
  const both = eventHandler({ ...options, accessKeys: [KEY, "another key"] });
  assert.equal((await both(signed(other))).status, 204);
  assert.equal((await eventHandler({ ...options, verifySignature: false })(signed(""))).status, 204);
  assert.equal(asked.length, 4);
});

for (const { name, keys, connection, expected } of readVectors("cloud-events/signatures")) {
  test(`signature: ${name}`, async () => {
    const id = Buffer.from(connection).toString("latin1");
    const headers = { "ce-connectionid": id, "ce-signature": expected };
    const handler = eventHandler({ hub, accessKeys: [keys.at(-1)] });
    assert.equal((await handler(event("sys.connected", { headers }))).status, 204);
  });
}

test("a client is let in, as its token says or not, or refused", async () => {
  const asked = [];
  let answer;
  const handler = eventHandler({ connectionString, hub, handleConnect: (event) => (asked.push(event), answer) });
  const body = {
    claims: { sub: ["zoë"] },
    query: { q: ["1", "2"] },
    headers: { Origin: ["https://page"] },
    subprotocols: ["json.webpubsub.azure.v1"],
    clientCertificates: [],
  };
  const user = Buffer.from("zoë").toString("latin1");
  const connect = () => handler(event("sys.connect", { body, headers: { "ce-userid": user } }));
  assert.deepEqual(await answerOf(await connect()), [204, null, ""]);
  const { setState, ...first } = asked[0];
  assert.equal(typeof setState, "function");
  assert.deepEqual(first, {
    ...body,
    hub: "chat",
    connectionId: "c1",
    eventName: "connect",
    userId: "zoë",
    origin: "example.com",
    id: "1",
    states: {},
  });
  answer = null;
  assert.deepEqual(await answerOf(await connect()), [204, null, ""]);
  answer = { userId: "bob", groups: ["g"], roles: [], subprotocol: "json.webpubsub.azure.v1" };
  assert.deepEqual(await (await connect()).json(), answer);
  answer = refuse(401, "not today");
  assert.deepEqual(await answerOf(await connect()), [401, "text/plain; charset=utf-8", "not today"]);
  assert.throws(() => refuse(200), RangeError);
});

test("a user event is read by its type, and answered by a value's", async () => {
  const asked = [];
  let answer;
  const handler = eventHandler({ connectionString, hub, handleUserEvent: (event) => (asked.push(event), answer) });
  const send = async (body, contentType) => answerOf(await handler(event("user.order", { body, contentType })));
  answer = "text";
  assert.deepEqual(await send("é", "text/plain; charset=utf-8"), [200, "text/plain; charset=utf-8", "text"]);
  answer = { n: 1 };
  assert.deepEqual(await send("[1,null]", "application/json"), [200, "application/json; charset=utf-8", '{"n":1}']);
  answer = new Uint8Array([104, 105]);
  assert.deepEqual(await send(new Uint8Array([1]), "application/octet-stream"), [
    200,
    "application/octet-stream",
    "hi",
  ]);
  answer = reply(new Uint8Array([10, 0]).buffer, { dataType: "protobuf" });
  assert.deepEqual((await send(new Uint8Array([2]), "application/x-protobuf")).slice(0, 2), [
    200,
    "application/x-protobuf",
  ]);
  answer = reply("a string", { dataType: "json" });
  assert.deepEqual(await send("x", "text/plain"), [200, "application/json; charset=utf-8", '"a string"']);
  answer = undefined;
  assert.deepEqual(await send("x", "text/plain"), [204, null, ""]);
  answer = refuse(403, "no");
  assert.deepEqual(await send("x", "text/plain"), [403, "text/plain; charset=utf-8", "no"]);
  assert.deepEqual(
    asked.slice(0, 4).map(({ dataType, data }) => [dataType, data]),
    [
      ["text", "é"],
      ["json", [1, null]],
      ["binary", new Uint8Array([1]).buffer],
      ["protobuf", new Uint8Array([2]).buffer],
    ],
  );
  assert.equal((await send("{", "application/json"))[0], 400);
  assert.equal((await send("x", "text/html"))[0], 400);
});

test("an answer that JSON cannot say is an error of the handler", async () => {
  for (const answer of [() => 1, reply(Symbol("s"), { dataType: "json" })]) {
    const errors = [];
    const onError = (error) => errors.push(error);
    const handler = eventHandler({ connectionString, hub, onError, handleUserEvent: () => answer });
    const response = await handler(event("user.order", { body: "x", contentType: "text/plain" }));
    assert.equal(response.status, 500);
    assert.ok(errors[0] instanceof TypeError);
  }
});

test("metadata comes with an event and goes with its reply", async () => {
  const handler = eventHandler({
    connectionString,
    hub,
    handleUserEvent: ({ metadata }) => reply(undefined, { metadata: { seen: metadata.trace } }),
  });
  const headers = { "x-webpubsub-metadata-Trace": "t1" };
  const answer = await handler(event("user.order", { body: "x", contentType: "text/plain", headers }));
  assert.deepEqual([answer.status, answer.headers.get("x-webpubsub-metadata-seen")], [204, "t1"]);
});

test("metadata that the service would not take is said at once", () => {
  const longest = { [`${"k".repeat(256)}`]: "v".repeat(1024) };
  assert.deepEqual(reply("", { metadata: longest }).options.metadata, longest);
  for (const metadata of [
    { city: "Zürich" },
    { city: "東京" },
    { line: "a\nb" },
    { long: "v".repeat(1025) },
    { "": "v" },
    { "a b": "v" },
    { é: "v" },
    { [`${"k".repeat(257)}`]: "v" },
    Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`k${n}`, "v".repeat(1000)])),
  ])
    assert.throws(() => reply("", { metadata }), RangeError, JSON.stringify(metadata));
});

test("states are kept as Microsoft's middleware keeps them", async () => {
  const states = [];
  const handler = eventHandler({
    connectionString,
    hub,
    handleUserEvent(event) {
      states.push({ ...event.states });
      if (event.data === "set") event.setState("visits", (event.states.visits ?? 0) + 1);
      if (event.data === "clear") event.setState("visits", undefined);
    },
  });
  const send = async (body, state) => {
    const headers = state === undefined ? {} : { "ce-connectionstate": state };
    const answer = await handler(event("user.order", { body, contentType: "text/plain", headers }));
    return answer.headers.get("ce-connectionstate");
  };
  const once = Buffer.from('{"visits":1}').toString("base64");
  assert.equal(await send("set"), once);
  assert.equal(await send("look", once), null);
  assert.equal(await send("clear", once), Buffer.from("{}").toString("base64"));
  assert.equal(await send("look", "not base64 of JSON"), null);
  assert.deepEqual(states, [{}, { visits: 1 }, { visits: 1 }, {}]);
});

test("notifications are delivered, one that throws is answered 500", async () => {
  const events = [];
  const errors = [];
  const handler = eventHandler({
    connectionString,
    hub,
    onConnected: ({ connectionId }) => void events.push(["connected", connectionId]),
    onDisconnected: ({ reason }) => void events.push(["disconnected", reason]),
    onGroupJoined: ({ group }) => void events.push(["joined", group]),
    onGroupLeft() {
      throw new Error("left");
    },
    onError: ({ message }, { eventName }) => errors.push([message, eventName]),
  });
  assert.equal((await handler(event("sys.connected"))).status, 204);
  assert.equal((await handler(event("sys.disconnected", { body: { reason: "gone" } }))).status, 204);
  assert.equal((await handler(event("gp.joined", { body: { group: "g" } }))).status, 204);
  assert.equal((await handler(event("gp.left", { body: { group: "g" } }))).status, 500);
  assert.deepEqual(events, [
    ["connected", "c1"],
    ["disconnected", "gone"],
    ["joined", "g"],
  ]);
  assert.deepEqual(errors, [["left", "left"]]);
});

test("requests that are no events of the hub are not found", async () => {
  const handler = eventHandler({ connectionString, hub });
  for (const request of [
    new Request(HANDLER),
    new Request(HANDLER, { method: "POST", body: "x" }),
    event("sys.connected", { url: "https://app.example/other" }),
    event("sys.connected", { url: `${HANDLER.slice(0, -1)}s` }),
    event("sys.connected", { headers: { "ce-hub": "other" } }),
    event("sys.unknown"),
  ])
    assert.equal((await handler(request)).status, 404, request.url);
  for (const url of [HANDLER.slice(0, -1), `${HANDLER}connected`, HANDLER.toUpperCase()])
    assert.equal((await handler(event("sys.connected", { url }))).status, 204, url);
});

test("a body is read up to its limit, and only of signed events", async () => {
  const handler = eventHandler({ connectionString, hub, maxBodyBytes: 10 });
  const long = new Uint8Array(11);
  const send = (more) => handler(event("user.order", { body: long, contentType: "application/octet-stream", ...more }));
  assert.equal((await send()).status, 413);
  assert.equal((await send({ headers: { "ce-signature": "" } })).status, 401);
  const stream = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(4)) });
  const { headers } = event("user.order", { body: "", contentType: "application/octet-stream" });
  const endless = new Request(HANDLER, { method: "POST", headers, body: stream, duplex: "half" });
  assert.equal((await handler(endless)).status, 413);
});

test("options that are wrong are refused when a handler is made", () => {
  for (const options of [
    { hub },
    { hub, accessKeys: [] },
    { hub, accessKeys: [""] },
    { hub: "", connectionString },
    { hub, connectionString, allowedEndpoints: ["example.com"] },
  ])
    assert.throws(() => eventHandler(options), TypeError);
  assert.throws(() => negotiate({ hub, connectionString }), TypeError);
});

test("Node's server calls a handler with its request as context", async (t) => {
  const handler = negotiate({ connectionString, hub, client: (_, { user }) => ({ userId: user }) });
  const events = eventHandler({ connectionString, hub, handleUserEvent: ({ data }) => data });
  const server = http.createServer((request, response) => {
    Object.assign(request, { user: "alice" });
    const its = request.url?.startsWith("/api/") ? events : handler;
    toNodeHandler(its)(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  t.after(() => (server.close(), server.closeAllConnections()));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const { url } = /** @type {{ url: string }} */ (await (await fetch(`http://127.0.0.1:${port}/`)).json());
  assert.equal(claimsOf(new URL(url).searchParams.get("access_token")).sub, "alice");
  const body = "x".repeat(300_000);
  const send = (request) => fetch(new Request(`http://127.0.0.1:${port}/api/webpubsub/hubs/chat/`, request));
  const echoed = await send(event("user.order", { body, contentType: "text/plain" }));
  assert.equal(await echoed.text(), body);
  // What is not read of a refused event is read and dropped, and the connection goes on.
  const refused = await send(event("user.order", { body, contentType: "text/plain", headers: { "ce-signature": "" } }));
  assert.equal(refused.status, 401);
  assert.equal((await fetch(`http://127.0.0.1:${port}/api/elsewhere`)).status, 404);
});

test("a server of HTTP/2 calls a handler", async (t) => {
  const server = http2.createServer((request, response) => {
    toNodeHandler(negotiate({ connectionString, hub, client: () => ({}) }))(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const session = http2.connect(`http://127.0.0.1:${portOf(server)}`);
  t.after(() => (session.close(), server.close()));
  const status = await new Promise((resolve, reject) => {
    session
      .request({ ":path": "/" })
      .on("error", reject)
      .on("response", (headers) => resolve(headers[":status"]))
      .resume();
  });
  assert.equal(status, 200);
});

test("a path that is not the handler's goes to the next one", async () => {
  const next = [];
  const middleware = toNodeHandler(eventHandler({ connectionString, hub }));
  const request = { method: "GET", url: "/", originalUrl: "/else", rawHeaders: ["Host", "h"], socket: {} };
  await middleware(request, {}, (error) => next.push(error));
  assert.deepEqual(next, [undefined]);
});

test("requests that no Request can be are answered quietly", async (t) => {
  const reported = t.mock.method(console, "error", () => {});
  const server = http.createServer(toNodeHandler(negotiate({ connectionString, hub, client: () => ({}) })));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  t.after(() => server.close());
  const statusOf = (method, target, headers = {}) =>
    new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: portOf(server), method, path: target, headers, agent: false };
      http
        .request(options, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
  assert.equal(await statusOf("TRACE", "/negotiate"), 405);
  assert.equal(await statusOf("OPTIONS", "*"), 405);
  assert.equal(await statusOf("GET", "/negotiate", { host: "[::" }), 200);
  for (const target of ["//", "/%", "/%ff?a=%", "/\\[", "/a:b@c"])
    assert.equal(await statusOf("GET", target), 200, target);
  assert.equal(reported.mock.callCount(), 0);

  const events = toNodeHandler(eventHandler({ connectionString, hub }));
  for (const method of ["TRACE", "TRACK", "CONNECT"]) {
    const next = [];
    const request = { method, url: "/", rawHeaders: [], socket: {} };
    await events(request, {}, (error) => next.push(error));
    assert.deepEqual(next, [undefined], method);
  }
});

test("a proxy's request, which names a whole URL, is understood", async (t) => {
  const server = http.createServer(toNodeHandler(eventHandler({ connectionString, hub })));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  t.after(() => server.close());
  const headers = { "webhook-request-origin": "example.com" };
  const options = { host: "127.0.0.1", port: portOf(server), method: "OPTIONS", path: HANDLER, headers, agent: false };
  const allowed = await new Promise((resolve, reject) => {
    http
      .request(options, (response) => resolve(response.resume().headers["webhook-allowed-origin"]))
      .on("error", reject)
      .end();
  });
  assert.equal(allowed, "*");
});
