// Messages that come one after the other, of which the core is not asked about each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { npmPackage, setUpConnected } from "./harness.mjs";

const { WebPubSubClient } = npmPackage;

const say = (connection, sequenceId) =>
  connection.say({ type: "message", from: "server", dataType: "text", data: String(sequenceId), sequenceId });

const range = (first, last) => Array.from({ length: last - first + 1 }, (_, number) => first + number);

/** The numbers of the messages that come next, as many. */
async function raised(event, count) {
  const numbers = [];
  while (numbers.length < count) {
    const [name, { message }] = await event();
    assert.equal(name, "server-message");
    numbers.push(message.sequenceId);
  }
  return numbers;
}

test("of a flood each message is raised once, in order", async (t) => {
  const { connection, event, events } = await setUpConnected(t);
  // With duplicates of what came before, and a gap.
  for (const id of [1, 2, 3, 4, 2, 4, 5, 1, 6, 9, 8, 10, 10, 11, 11, 12]) say(connection, id);
  assert.deepEqual(await raised(event, 10), [1, 2, 3, 4, 5, 6, 9, 10, 11, 12]);
  say(connection, 12);
  connection.say({ type: "message", from: "server", dataType: "text", data: "unnumbered" });
  assert.deepEqual(await raised(event, 1), [undefined]);
  assert.deepEqual(events(), []);
});

/** A client that is connected on a socket of the test's: `receive` brings a frame, `acks` are those that went out. */
async function onSocket(t) {
  const sent = [];
  const socket = /** @type {any} */ ({
    send: (text) => void sent.push(JSON.parse(text)),
    close: () => socket.onclose({}),
  });
  const webSocketFactory = () => {
    // Its listeners are there once this has returned.
    queueMicrotask(() => socket.onopen());
    return socket;
  };
  const client = new WebPubSubClient("ws://service", { webSocketFactory });
  t.after(() => client.stop());
  await client.start();
  const receive = (message) => socket.onmessage({ data: JSON.stringify(message) });
  receive({ type: "system", event: "connected", connectionId: "c1", reconnectionToken: "t" });
  return { client, acks: () => sent.filter(({ type }) => type === "sequenceAck"), receive };
}

const numbered = (sequenceId) => ({ type: "message", from: "server", dataType: "text", data: "", sequenceId });

test("of a flood the 501st message is acknowledged at once", async (t) => {
  const { acks, receive } = await onSocket(t);
  for (const id of range(1, 1_002)) {
    receive(numbered(id));
    await undefined;
    if (id === 500 || id === 1_001) assert.equal(acks().length, id === 500 ? 0 : 1);
  }
  assert.deepEqual(
    acks().map(({ sequenceId }) => sequenceId),
    [501, 1_002],
  );
});

test("frames that come together past 500 have one ack, raised once", async (t) => {
  const { client, acks, receive } = await onSocket(t);
  const numbers = [];
  client.on("server-message", ({ message }) => numbers.push(message.sequenceId));
  for (const id of [...range(1, 700), 699, 501, ...range(701, 800)]) receive(numbered(id));
  assert.deepEqual(numbers, range(1, 800));
  await undefined;
  assert.deepEqual(acks(), [{ type: "sequenceAck", sequenceId: 800 }]);
  for (const id of [800, 799, 801]) receive(numbered(id));
  assert.deepEqual(numbers, range(1, 801));
});

test("what comes after a flood is acknowledged within a second", async (t) => {
  const { connection } = await setUpConnected(t);
  for (const id of range(1, 9)) say(connection, id);
  assert.deepEqual(await connection.message(), { type: "sequenceAck", sequenceId: 9 });
});

test("what was raised before a loss is not raised again", async (t) => {
  const { service, connection, event, events } = await setUpConnected(t);
  for (const id of range(1, 9)) say(connection, id);
  assert.deepEqual(await raised(event, 9), range(1, 9));
  connection.drop();
  assert.equal((await event())[0], "recovering");
  const recovered = await service.connection();
  for (const id of range(3, 12)) say(recovered, id);
  assert.equal((await event())[0], "recovered");
  assert.deepEqual(await raised(event, 3), [10, 11, 12]);
  assert.deepEqual(events(), []);
});

test("a listener may call the client in the middle of a flood", async (t) => {
  const { client, connection, event } = await setUpConnected(t);
  client.on("server-message", ({ message }) => {
    if (message.sequenceId % 3 === 0) client.sendEvent("seen", message.sequenceId, "json", { fireAndForget: true });
  });
  for (const id of [...range(1, 9), ...range(2, 9), 10]) say(connection, id);
  assert.deepEqual(await raised(event, 10), range(1, 10));
  const seen = [await connection.message(), await connection.message(), await connection.message()];
  assert.deepEqual(
    seen.map(({ data }) => data),
    [3, 6, 9],
  );
});

test("a listener that stops the client gets no more of a flood", async (t) => {
  const { client, connection, event } = await setUpConnected(t);
  client.on("server-message", ({ message }) => {
    if (message.sequenceId === 4) client.stop();
  });
  for (const id of range(1, 9)) say(connection, id);
  assert.deepEqual(await raised(event, 4), range(1, 4));
  assert.deepEqual([(await event())[0], (await event())[0]], ["disconnected", "stopped"]);
});
