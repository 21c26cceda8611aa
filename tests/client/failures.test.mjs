// A start that fails says why.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { npmPackage, setUp } from "./harness.mjs";

const { WebPubSubClient, ConnectError } = npmPackage;

async function closedPort() {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address();
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

test("a closed port", async () => {
  const client = new WebPubSubClient(`ws://127.0.0.1:${await closedPort()}/client/hubs/chat?access_token=secret`);
  const error = await client.start().catch((error) => error);
  assert.equal(error.problem, "unreachable");
  assert.match(error.message, /^Failed to start WebSocket: ws:\/\/127\.0\.0\.1:\d+\/client\/hubs\/chat cannot be reached\.$/);
  assert.equal(error.cause.code, "ECONNREFUSED");
});

test("a URL that is none of a WebSocket", async () => {
  for (const url of ["", "nonsense?access_token=secret", "ftp://example.com"]) {
    const error = await new WebPubSubClient(url).start().catch((error) => error);
    assert.equal(error.problem, "invalid-url", url);
    assert.doesNotMatch(error.message, /secret/);
  }
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

test("a platform that does not tell is asked whether anybody is there", async (t) => {
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
  await assert.rejects(refused.start(), { problem: "refused", status: undefined });
  const unreachable = new WebPubSubClient(`ws://127.0.0.1:${await closedPort()}/?access_token=secret`, { webSocketFactory });
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
