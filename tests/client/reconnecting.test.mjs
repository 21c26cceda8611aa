// Losing a connection, getting it back, or getting another.
import assert from "node:assert/strict";
import { test } from "node:test";
import { once, setUpConnected, unreliable } from "./harness.mjs";

const quick = { retryDelayInMs: 1 };

test("a dropped reliable connection recovers with id and token", async (t) => {
  const { service, client, connection, event, events } = await setUpConnected(t);
  await client.joinGroup("g");
  connection.messages();
  connection.drop();
  assert.deepEqual(await event(), ["recovering", { connectionId: "c1" }]);
  const recovered = await service.connection();
  assert.deepEqual(recovered.query, {
    access_token: "secret",
    awps_connection_id: "c1",
    awps_reconnection_token: "token of c1",
  });
  assert.deepEqual(await event(), ["recovered", { connectionId: "c1" }]);
  await client.sendEvent("hello", "hi", "text");
  assert.deepEqual(
    recovered.messages().map(({ type }) => type),
    ["event"],
  );
  assert.deepEqual(events(), []);
});

test("an unrecoverable connection is followed by a new one", async (t) => {
  const { service, connection, event } = await setUpConnected(t);
  connection.drop();
  (await service.connection()).close(1008, "The connection could not be recovered.");
  const fresh = await service.connection();
  assert.deepEqual(fresh.query, { access_token: "secret" });
  fresh.connected("c2");
  assert.deepEqual(await event(), ["recovering", { connectionId: "c1" }]);
  assert.deepEqual(await event(), [
    "disconnected",
    {
      connectionId: "c1",
      message: undefined,
      code: 1008,
      reason: "The connection could not be recovered.",
      willReconnect: true,
    },
  ]);
  assert.deepEqual(await event(), ["connected", { connectionId: "c2", userId: "alice" }]);
});

for (const [how, prove] of Object.entries({
  "says connected": (connection) => connection.connected("c1"),
  delivers: (connection) =>
    connection.say({ type: "message", from: "server", dataType: "text", data: "hi", sequenceId: 1 }),
  "answers a ping": (connection) => connection.say({ type: "pong" }),
})) {
  test(`recovered comes when the service ${how}, not with the socket`, async (t) => {
    const { service, connection, event, events } = await setUpConnected(t);
    service.answersPings = false;
    connection.drop();
    const next = await service.connection();
    await next.ping();
    assert.deepEqual(events(), [["recovering", { connectionId: "c1" }]]);
    prove(next);
    assert.deepEqual(await event(), ["recovered", { connectionId: "c1" }]);
  });
}

test("after a disconnected message no recovery is tried", async (t) => {
  const { service, connection, event } = await setUpConnected(t);
  connection.say({ type: "system", event: "disconnected", message: "Application server closed the connection." });
  connection.close(1000);
  const [name, { message, willReconnect }] = await event();
  assert.deepEqual(
    [name, message.message, willReconnect],
    ["disconnected", "Application server closed the connection.", true],
  );
  assert.deepEqual((await service.connection()).query, { access_token: "secret" });
});

test("stop ends a recovery", async (t) => {
  const { service, client, connection, event, events } = await setUpConnected(t);
  service.refuseWith = 503;
  connection.drop();
  assert.equal((await event())[0], "recovering");
  client.stop();
  assert.deepEqual((await event())[0], "disconnected");
  assert.deepEqual(await event(), ["stopped", { code: 1006, reason: "" }]);
  assert.deepEqual(events(), []);
});

test("a new connection has a new URL and rejoins before connected", async (t) => {
  let asked = 0;
  const credential = (service) => ({ getClientAccessUrl: async () => `${service.url}&asked=${++asked}` });
  const { service, client, connection, event } = await setUpConnected(t, { protocol: unreliable }, credential);
  await client.joinGroup("a");
  await client.joinGroup("b");
  await client.leaveGroup("b");
  await client.joinGroup("c");
  service.answer = (connection, { ackId, group }) =>
    group === "a" ? connection.refuse(ackId, "Forbidden") : connection.ack(ackId);
  connection.drop();
  const next = await service.connection();
  assert.equal(next.query.asked, "2");
  next.connected("c2");
  assert.equal((await event())[0], "disconnected");
  const [name, { group, error }] = await event();
  assert.deepEqual(
    [name, group, error.name, error.errorDetail.name],
    ["rejoin-group-failed", "a", "SendMessageError", "Forbidden"],
  );
  assert.deepEqual(await event(), ["connected", { connectionId: "c2", userId: "alice" }]);
  assert.deepEqual(next.messages(), [
    { type: "joinGroup", group: "a", ackId: 5 },
    { type: "joinGroup", group: "c", ackId: 6 },
  ]);
});

test("groups stay left where the options say so", async (t) => {
  const { service, client, connection, event } = await setUpConnected(t, {
    protocol: unreliable,
    autoRejoinGroups: false,
  });
  await client.joinGroup("a");
  connection.drop();
  const next = await service.connection();
  next.connected("c2");
  await event();
  assert.equal((await event())[0], "connected");
  assert.deepEqual(next.messages(), []);
});

test("reconnecting goes on until it succeeds", async (t) => {
  const { service, connection, event } = await setUpConnected(t, {
    protocol: unreliable,
    reconnectRetryOptions: quick,
  });
  service.refuseWith = 401;
  connection.drop();
  assert.equal((await event())[1].willReconnect, true);
  setTimeout(() => (service.refuseWith = undefined), 100);
  (await service.connection()).connected("c2");
  assert.deepEqual(await event(), ["connected", { connectionId: "c2", userId: "alice" }]);
});

test("a client whose attempts are used up stops", async (t) => {
  const options = { protocol: unreliable, reconnectRetryOptions: { ...quick, maxRetries: 2 } };
  const { service, connection, event, events } = await setUpConnected(t, options);
  service.refuseWith = 503;
  connection.close(1001, "going away");
  assert.equal((await event())[0], "disconnected");
  assert.deepEqual(await event(), ["stopped", { code: 1001, reason: "going away" }]);
  assert.deepEqual(events(), []);
});

test("a client that is not to reconnect stops", async (t) => {
  const { connection, event } = await setUpConnected(t, { protocol: unreliable, autoReconnect: false });
  connection.drop();
  assert.equal((await event())[1].willReconnect, false);
  assert.deepEqual(await event(), ["stopped", { code: 1006, reason: "" }]);
});

test("an operation whose ack was lost is retried after recovery", async (t) => {
  const { service, client, connection } = await setUpConnected(t, { messageRetryOptions: { retryDelayInMs: 1_000 } });
  const answer = service.answer;
  service.answer = () => {
    service.answer = answer;
    connection.drop();
  };
  assert.deepEqual(await client.sendToGroup("g", "hi", "text"), { ackId: 2, isDuplicated: false });
});

test("messages are acknowledged, and repeated ones raised once", async (t) => {
  const { connection, event } = await setUpConnected(t);
  const say = (sequenceId) =>
    connection.say({ type: "message", from: "server", dataType: "text", data: `m${sequenceId}`, sequenceId });
  for (const sequenceId of [1, 2, 1, 2, 3]) say(sequenceId);
  for (const data of ["m1", "m2", "m3"]) assert.equal((await event())[1].message.data, data);
  assert.deepEqual(await connection.message(), { type: "sequenceAck", sequenceId: 3 });
  say(504);
  assert.deepEqual(await connection.message(), { type: "sequenceAck", sequenceId: 504 });
});

test("pings go out, and a silent connection is given up", async (t) => {
  const options = { keepAliveIntervalInMs: 20, keepAliveTimeoutInMs: 1_000, messageRetryOptions: once };
  const { service, connection, event } = await setUpConnected(t, options);
  service.answersPings = false;
  for (let pings = 0; pings < 3; pings++) assert.deepEqual(await connection.ping(), { type: "ping" });
  assert.equal((await event())[0], "recovering");
  assert.equal((await service.connection()).query.awps_connection_id, "c1");
});
