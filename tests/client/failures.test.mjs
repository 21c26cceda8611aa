// A start that fails says why.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { inspect } from "node:util";
import { npmPackage, setUp } from "./harness.mjs";
import { portOf } from "../support/port.mjs";
import { cases } from "../support/cases.mjs";

const { WebPubSubClient, ConnectError, InvocationError, SendMessageError } = npmPackage;

async function closedPort() {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const port = portOf(server);
  server.close();
  return port;
}

test("a refused token", async (t) => {
  const { service, client, events } = await setUp(t);
  service.refuseWith = 401;
  const error = await client.start().catch((error) => error);
  assert.ok(error instanceof ConnectError);
  assert.equal(error.name, "ConnectError");
  assert.equal(error.problem, "refused");
  assert.equal(error.status, 401);
  assert.match(error.message, /refused the connection with HTTP 401/);
  assert.doesNotMatch(error.message, /secret/);
  assert.deepEqual(events(), []);
});

test("the service's words are shown, and a token's hint if it fits", async (t) => {
  const { service, client } = await setUp(t);
  const json = "application/json; charset=utf-8";
  const refusals = cases([
    [400, json, '{"code":"Bad","message":"The hub name is not valid."}', "The hub name is not valid.", false],
    [
      400,
      "application/problem+json",
      '{"title":"One or more validation errors occurred.","status":400}',
      "One or more validation errors occurred.",
      false,
    ],
    [401, json, '{"error":{"code":"Unauthorized","message":"The token has expired."}}', "The token has expired.", true],
    [403, "text/plain", "Not you.\r\n\u001b[2J", "Not you. [2J", true],
    [404, "text/html", "<h1>Not found</h1>", undefined, false],
    [429, json, "not JSON", "not JSON", false],
    [503, "text/plain", "x".repeat(100_000), "x".repeat(300), false],
    [500, "text/plain", "", undefined, false],
  ]);
  for (const [status, type, body, detail, isHinted] of refusals) {
    service.refuseWith = status;
    service.refusal = { type, body };
    const error = await client.start().catch((error) => error);
    assert.deepEqual([error.problem, error.status, error.detail], ["refused", status, detail]);
    assert.ok(
      error.message.includes(`refused the connection with HTTP ${status}${detail ? `: ${detail}` : ""}`),
      error.message,
    );
    assert.match(error.message, /[.?]$/);
    assert.equal(error.message.includes("Is the access token there"), isHinted, error.message);
  }
});

test("a failed attempt ends at the socket's error without a close", async (t) => {
  const { service } = await setUp(t);
  const webSocketFactory = () => {
    const socket = { close() {}, send() {} };
    setImmediate(() => socket.onerror(new Event("error")));
    return socket;
  };
  await assert.rejects(new WebPubSubClient(service.url, { webSocketFactory }).start(), { problem: "refused" });
});

test("errors have their class's name, in their stack too", () => {
  for (const [type, error] of [
    [ConnectError, new ConnectError("m", { problem: "refused", status: 400 })],
    [SendMessageError, new SendMessageError("m", { ackId: 1 })],
    [InvocationError, new InvocationError("m", { invocationId: "1" })],
  ]) {
    assert.ok(error instanceof Error && error instanceof type);
    assert.equal(error.name, type.name);
    assert.match(error.stack ?? "", new RegExp(`^${type.name}: m\n`));
    assert.match(inspect(error), new RegExp(`^${type.name}: m\n`));
    assert.ok(!("cause" in error));
  }
});

test("a closed port", async () => {
  const client = new WebPubSubClient(`ws://127.0.0.1:${await closedPort()}/client/hubs/chat?access_token=secret`);
  const error = await client.start().catch((error) => error);
  assert.equal(error.problem, "unreachable");
  assert.match(
    error.message,
    /^Failed to start WebSocket: ws:\/\/127\.0\.0\.1:\d+\/client\/hubs\/chat cannot be reached\.$/,
  );
  assert.equal(error.cause.code, "ECONNREFUSED");
});

test("TLS to a port without it fails at once", async (t) => {
  const { service } = await setUp(t);
  for (const scheme of ["wss", "https"]) {
    const error = await new WebPubSubClient(service.url.replace(/^ws/, scheme)).start().catch((error) => error);
    assert.equal(error.problem, "unreachable");
    assert.match(error.cause.message, /wrong version number/);
  }
});

test("http and https are other names for ws and wss", async (t) => {
  const { service } = await setUp(t);
  const client = new WebPubSubClient(service.url.replace(/^ws/, "http"));
  const [connection] = await Promise.all([service.connection(), client.start()]);
  connection.connected();
  const stopped = new Promise((resolve) => client.on("stopped", resolve));
  client.stop();
  await stopped;
});

test("a URL that is none of a WebSocket", async () => {
  for (const url of ["", "nonsense?access_token=secret", "ftp://example.com"]) {
    const error = await new WebPubSubClient(url).start().catch((error) => error);
    assert.equal(error.problem, "invalid-url", url);
    assert.doesNotMatch(error.message, /secret/);
  }
});

test("an attempt that hangs is given up after a limit of its own", async (t) => {
  const { service, client } = await setUp(t);
  service.hangs = true;
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const start = client.start();
  await service.upgrade();
  t.mock.timers.tick(119_999);
  t.mock.timers.tick(1);
  await assert.rejects(start, { problem: "unreachable", message: /cannot be reached in time\.$/ });

  let asked;
  const asking = new Promise((resolve) => (asked = resolve));
  const getClientAccessUrl = () => new Promise(() => asked());
  const waiting = new WebPubSubClient({ getClientAccessUrl }).start();
  await asking;
  t.mock.timers.tick(120_000);
  await assert.rejects(waiting, { message: "getClientAccessUrl gave no URL in time." });
});

test("a credential that throws", async (t) => {
  const mine = new Error("no session");
  const getClientAccessUrl = t.mock.fn(async () => {
    throw mine;
  });
  const client = new WebPubSubClient({ getClientAccessUrl });
  assert.equal(await client.start().catch((error) => error), mine);
  assert.equal(getClientAccessUrl.mock.callCount(), 1);
});

test("a credential that gives no string", async () => {
  const client = new WebPubSubClient({ getClientAccessUrl: async () => ({ url: "wss://example.com" }) });
  await assert.rejects(client.start(), { message: "The clientAccessUrl must be a string but currently it's object" });
});

test("a failed start is not repeated, and another one may succeed", async (t) => {
  const { service, client, event } = await setUp(t);
  service.refuseWith = 503;
  await assert.rejects(client.start(), { problem: "refused", status: 503 });
  service.refuseWith = undefined;
  const [connection] = await Promise.all([service.connection(), client.start()]);
  connection.connected();
  assert.equal((await event())[0], "connected");
});

test("a platform without a status is probed with another request", async (t) => {
  const { service } = await setUp(t);
  const webSocketFactory = () => {
    const socket = { close() {}, send() {} };
    setTimeout(() => {
      socket.onerror(new Event("error"));
      socket.onclose({ code: 1006, reason: "" });
    });
    return socket;
  };
  const refused = new WebPubSubClient(service.url, { webSocketFactory });
  const error = await refused.start().catch((error) => error);
  assert.deepEqual([error.problem, error.status], ["refused", undefined]);
  const unreachable = new WebPubSubClient(`ws://127.0.0.1:${await closedPort()}/?access_token=secret`, {
    webSocketFactory,
  });
  await assert.rejects(unreachable.start(), { problem: "unreachable" });
});

test("an aborted start", async (t) => {
  const { service, client, events } = await setUp(t);
  const reason = new Error("enough");
  await assert.rejects(client.start({ abortSignal: AbortSignal.abort(reason) }), reason);

  const controller = new AbortController();
  let asked;
  const waiting = new WebPubSubClient({
    getClientAccessUrl: ({ abortSignal }) => {
      asked = abortSignal;
      return new Promise(() => queueMicrotask(() => controller.abort()));
    },
  });
  await assert.rejects(waiting.start({ abortSignal: controller.signal }), { name: "AbortError" });
  assert.equal(asked, controller.signal);
  assert.deepEqual(events(), []);

  const later = new AbortController();
  await client.start({ abortSignal: later.signal });
  const connection = await service.connection();
  later.abort();
  connection.connected();
  assert.deepEqual(await client.joinGroup("g"), { ackId: 1, isDuplicated: false });
});
