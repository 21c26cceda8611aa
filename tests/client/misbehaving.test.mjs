// A service that keeps to nothing: the client goes on, throws nothing, and leaves nothing behind.
import assert from "node:assert/strict";
import { once as emitted } from "node:events";
import { test } from "node:test";
import { once, setUpConnected, unreliable } from "./harness.mjs";

/** Whatever no listener and no promise of the application's catches. */
function uncaught(t) {
  const errors = [];
  const note = (error) => errors.push(error);
  for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, note);
  t.mock.method(console, "error", note);
  t.after(() => {
    for (const event of ["uncaughtException", "unhandledRejection"]) process.off(event, note);
  });
  return errors;
}

/** @type {unknown[]} */
const JSON_VALUES = [null, true, 0, -1, 1e300, "", "x", [], [[]], {}, { toString: null }];
const TYPES = [
  ...["message", "ack", "system", "pong", "invokeResponse", "streamAck", "streamNack", "streamClosed"],
  ...["groupStateSnapshot", "groupStateUpdate", "constructor", "__proto__", "tomorrow"],
];
const FIELDS = [
  ...["from", "event", "dataType", "data", "sequenceId", "group", "ackId", "success", "error", "connectionId"],
  ...["userId", "reconnectionToken", "invocationId", "streamId", "expectedSequenceId", "items", "stream", "name"],
];

/** Every type with every field as every kind of value, and with all fields as that. */
function* nonsense() {
  for (const type of TYPES) {
    for (const value of JSON_VALUES) {
      for (const field of FIELDS) yield { type, from: "group", event: "connected", dataType: "json", [field]: value };
      yield { type, ...Object.fromEntries(FIELDS.map((field) => [field, value])) };
    }
  }
}

test("frames of any shape throw nothing, and the link goes on", async (t) => {
  const errors = uncaught(t);
  const { client, connection, events } = await setUpConnected(t, { protocol: unreliable, messageRetryOptions: once });
  await client.subscribeGroupStates("g");
  client.onGroupStream(() => {});
  for (const frame of ["\0", "{", '"', "[1,", "\u{10FFFF}".repeat(1000), "[".repeat(100_000)]) connection.say(frame);
  connection.socket.send(Buffer.from([0, 255]));
  for (const frame of nonsense()) connection.say(frame);
  assert.deepEqual((await client.sendEvent("still", 1, "json")).isDuplicated, false);
  assert.ok(events().every(([name]) => name !== "disconnected" && name !== "recovering"));
  assert.deepEqual(errors, []);
});

test("text that is no UTF-8 ends its link with 1007", async (t) => {
  const { service, connection, event } = await setUpConnected(t);
  const closed = emitted(connection.socket, "close");
  // U+FFFD among it is text: decoders put it in the place of what is none.
  connection.say({ type: "message", from: "server", dataType: "text", data: "é€😀\ufffd" });
  connection.socket._socket.write(Buffer.from([0x81, 2, 0xc3, 0x28]));
  connection.say({ type: "message", from: "server", dataType: "text", data: "late" });
  assert.equal((await event())[1].message.data, "é€😀\ufffd");
  assert.equal((await closed)[0], 1007);
  assert.equal((await event())[0], "recovering");
  await service.connection();
});

test("sequence ids that jump or go back raise nothing twice", async (t) => {
  const { connection, event } = await setUpConnected(t);
  const say = (sequenceId) =>
    connection.say({ type: "message", from: "server", dataType: "json", data: sequenceId, sequenceId });
  const largest = Number.MAX_SAFE_INTEGER;
  for (const id of [5, 1, 4, 5, 1000, 999]) say(id);
  for (const id of [5, 1000]) assert.equal((await event())[1].message.data, id);
  assert.deepEqual(await connection.message(), { type: "sequenceAck", sequenceId: 1000 });
  for (const id of [largest, largest, 7]) say(id);
  assert.equal((await event())[1].message.data, largest);
  assert.deepEqual(await connection.message(), { type: "sequenceAck", sequenceId: largest });
});

test("an ack that comes twice, or for nothing, settles nothing", async (t) => {
  const { service, client } = await setUpConnected(t, { messageRetryOptions: once });
  service.answer = (connection, { ackId }) => {
    for (const id of [0, ackId + 1, -1, 0.5, 2 ** 60]) connection.ack(id);
    connection.ack(ackId);
    connection.refuse(ackId, "Forbidden");
  };
  assert.deepEqual(await client.joinGroup("g"), { ackId: 1, isDuplicated: false });
  assert.deepEqual(await client.joinGroup("h"), { ackId: 2, isDuplicated: false });
});

test("after every close code the client has a connection again", async (t) => {
  const errors = uncaught(t);
  const options = { reconnectRetryOptions: { retryDelayInMs: 1 } };
  const { service, event, ...first } = await setUpConnected(t, options);
  let { connection } = first;
  const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
  for (const code of [...codes, undefined]) {
    if (code === undefined) connection.drop();
    else connection.close(code, "bye");
    const [name] = await event();
    assert.equal(name, code === 1008 ? "disconnected" : "recovering", String(code));
    connection = await service.connection();
    connection.connected(connection.query.awps_connection_id ?? `c${code}`);
    assert.equal((await event())[0], code === 1008 ? "connected" : "recovered", String(code));
  }
  assert.deepEqual(errors, []);
});
