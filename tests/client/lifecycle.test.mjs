// Starting and stopping, and what an application receives of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { npmPackage, setUp, setUpConnected, unreliable } from "./harness.mjs";

const { WebPubSubClient } = npmPackage;

test("start is done when the socket is open, and connected follows", async (t) => {
  const { service, client, event } = await setUp(t);
  const [connection] = await Promise.all([service.connection(), client.start()]);
  assert.equal(connection.protocol, "json.reliable.webpubsub.azure.v1");
  assert.deepEqual(connection.query, { access_token: "secret" });
  connection.connected("c1");
  assert.deepEqual(await event(), ["connected", { connectionId: "c1", userId: "alice" }]);
});

test("the protocol is the one that the options name", async (t) => {
  const { service, client } = await setUp(t, { protocol: unreliable });
  const [connection] = await Promise.all([service.connection(), client.start()]);
  assert.equal(connection.protocol, "json.webpubsub.azure.v1");
});

test("stop closes without a code; disconnected and stopped follow", async (t) => {
  const { client, connection, event, events } = await setUpConnected(t);
  const closed = new Promise((resolve) => connection.socket.on("close", resolve));
  client.stop();
  client.stop();
  assert.equal(await closed, 1005);
  assert.deepEqual(await event(), [
    "disconnected",
    { connectionId: "c1", message: undefined, code: 1005, reason: "", willReconnect: false },
  ]);
  assert.deepEqual(await event(), ["stopped", { code: 1005, reason: "" }]);
  client.stop();
  assert.deepEqual(events(), []);
});

test("a stopped client can be started again", async (t) => {
  const { service, client, event } = await setUpConnected(t);
  client.stop();
  while ((await event())[0] !== "stopped");
  const [connection] = await Promise.all([service.connection(), client.start()]);
  connection.connected("c2");
  assert.deepEqual(await event(), ["connected", { connectionId: "c2", userId: "alice" }]);
});

test("a client is started only when it is stopped", async (t) => {
  const { client } = await setUp(t);
  const start = client.start();
  await assert.rejects(client.start(), { message: "Client can be only started when it's Stopped" });
  await start;
  client.stop();
  await assert.rejects(client.start(), { message: "Can't start a client during stopping" });
});

test("stop right after start cancels it before anything is loaded", async (t) => {
  const { client, event, events } = await setUp(t);
  const start = client.start();
  client.stop();
  await assert.rejects(start, { name: "AbortError", message: "The client is stopped" });
  assert.deepEqual(await event(), ["stopped", {}]);
  assert.deepEqual(events(), []);
});

test("start, stop and start, as in React's StrictMode, connects", async (t) => {
  const { service, client, event } = await setUp(t);
  const first = client.start();
  client.stop();
  const second = client.start();
  await assert.rejects(first, { name: "AbortError" });
  const [connection] = await Promise.all([service.connection(), second]);
  connection.connected("c1");
  assert.deepEqual(await event(), ["stopped", {}]);
  assert.deepEqual(await event(), ["connected", { connectionId: "c1", userId: "alice" }]);
});

test("the first ping goes out with the open socket", async (t) => {
  const { service, client } = await setUp(t);
  const [connection] = await Promise.all([service.connection(), client.start()]);
  assert.deepEqual(await connection.ping(), { type: "ping" });
});

test("stop on a client that was never started does nothing", async (t) => {
  const { client, events } = await setUp(t);
  client.stop();
  assert.deepEqual(events(), []);
});

test("what the service says before a close is in disconnected", async (t) => {
  const { connection, event } = await setUpConnected(t, { protocol: unreliable, autoReconnect: false });
  connection.say({ type: "system", event: "disconnected", message: "Application server closed the connection." });
  connection.close(1000, "done");
  const message = { kind: "disconnected", message: "Application server closed the connection." };
  assert.deepEqual(await event(), [
    "disconnected",
    { connectionId: "c1", message, code: 1000, reason: "done", willReconnect: false },
  ]);
  assert.deepEqual(await event(), ["stopped", { code: 1000, reason: "done" }]);
});

test("a listener that throws is reported and disturbs nothing", async (t) => {
  const { service, client, event } = await setUp(t);
  const report = t.mock.method(console, "error", () => {});
  client.on("connected", () => {
    throw new Error("from the listener");
  });
  let received = 0;
  client.on("connected", () => received++);
  const [connection] = await Promise.all([service.connection(), client.start()]);
  connection.connected();
  await event();
  assert.equal(received, 1);
  assert.equal(report.mock.calls[0].arguments[0].message, "from the listener");
  assert.deepEqual(await client.joinGroup("g"), { ackId: 1, isDuplicated: false });
});

test("a listener is called as often as it was added, till removed", async (t) => {
  const { service, client, connection, event } = await setUpConnected(t);
  const received = [];
  const listener = ({ message }) => received.push(message.data);
  client.on("server-message", listener);
  client.on("server-message", listener);
  const say = async (data) => {
    connection.say({ type: "message", from: "server", dataType: "text", data });
    await event();
  };
  await say("a");
  client.off("server-message", listener);
  await say("b");
  client.off("server-message", listener);
  client.off("server-message", () => {});
  await say("c");
  assert.deepEqual(received, ["a", "a", "b"]);
  assert.ok(service);
});

test("a listener may call the client", async (t) => {
  const { service, client, event } = await setUp(t, { protocol: unreliable });
  client.on("disconnected", () => client.stop());
  const [connection] = await Promise.all([service.connection(), client.start()]);
  connection.connected();
  await event();
  connection.drop();
  assert.equal((await event())[0], "disconnected");
  assert.deepEqual(await event(), ["stopped", { code: 1006, reason: "" }]);
});

test("constructor, on, off and stop are synchronous and checked", () => {
  const client = new WebPubSubClient("wss://example.com", { keepAliveIntervalInMs: 0 });
  const listener = () => {};
  assert.equal(client.on("connected", listener), undefined);
  assert.equal(client.off("connected", listener), undefined);
  assert.equal(client.stop(), undefined);
  for (const name of ["keepAliveTimeoutInMs", "keepAliveIntervalInMs"]) {
    for (const value of [-1, NaN]) {
      assert.throws(() => new WebPubSubClient("wss://example.com", { [name]: value }), {
        name: "RangeError",
        message: `${name} must be greater than or equal to 0.`,
      });
    }
  }
  for (const credential of [undefined, null, 42, {}, { getClientAccessUrl: 42 }, async () => "wss://example.com"]) {
    assert.throws(() => new WebPubSubClient(credential), {
      name: "TypeError",
      message: "A WebPubSubClient needs a client access URL, or an object with getClientAccessUrl.",
    });
  }
  assert.throws(() => client.on("connected"), { name: "TypeError", message: "The listener must be a function." });
});

test("the WebAssembly can be loaded before the first start", async (t) => {
  assert.equal(await npmPackage.preload(), undefined);
  const { service, client, event } = await setUp(t);
  const [connection] = await Promise.all([service.connection(), client.start()]);
  connection.connected();
  assert.equal((await event())[0], "connected");
});
