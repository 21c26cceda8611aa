// Group states: the client's side, against a scripted service.
import assert from "node:assert/strict";
import { test } from "node:test";
import { npmPackage, once, setUpConnected, unreliable } from "./harness.mjs";

const item = (connectionId, updatedAt, state) => ({ connectionId, userId: "bob", state, updatedAt });
const snapshot = (...items) => ({ type: "groupStateSnapshot", group: "g", items });
const update = (...items) => ({ type: "groupStateUpdate", group: "g", items });

/** A client that has subscribed to the states of `g`, and what changes them. */
async function subscribed(t, options) {
  const all = await setUpConnected(t, options);
  await all.client.subscribeGroupStates("g");
  /** Has the service send something, which changes what the client knows. */
  const changed = async (frame) => {
    all.connection.say(frame);
    assert.deepEqual(await all.event(), ["group-states-changed", { group: "g" }]);
    return all.client.listGroupStates("g");
  };
  return { ...all, changed };
}

const failure = (promise) =>
  promise.then(
    () => undefined,
    (error) => error,
  );

test("operations on group states say what they are", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const state = { status: "typing" };
  const setting = client.setGroupState("g", state);
  state.status = "changed later";
  assert.deepEqual(await setting, { ackId: 1, isDuplicated: false });
  await client.setGroupState("g", {}, { ackId: 42 });
  await client.clearGroupState("g");
  await client.subscribeGroupStates("g");
  await client.unsubscribeGroupStates("g");
  assert.deepEqual(connection.messages(), [
    { type: "setGroupState", group: "g", state: { status: "typing" }, ackId: 1 },
    { type: "setGroupState", group: "g", state: {}, ackId: 42 },
    { type: "setGroupState", group: "g", ackId: 2 },
    { type: "subscribeGroupState", group: "g", ackId: 3 },
    { type: "unsubscribeGroupState", group: "g", ackId: 4 },
  ]);
});

test("a refused operation is a SendMessageError, and tried again", async (t) => {
  const { service, client, connection } = await setUpConnected(t, {
    messageRetryOptions: { maxRetries: 1, retryDelayInMs: 1 },
  });
  service.answer = (connection, { ackId }) => connection.refuse(ackId, "Forbidden");
  const error = await failure(client.subscribeGroupStates("g"));
  assert.ok(error instanceof npmPackage.SendMessageError);
  assert.deepEqual(error.errorDetail, { name: "Forbidden", message: "No." });
  assert.equal(connection.messages().length, 2);
  assert.throws(() => client.listGroupStates("g"), new Error("Group state is not subscribed for group 'g'."));
});

const entries = (count) => Object.fromEntries(Array.from({ length: count }, (_, number) => [`k${number}`, "v"]));

test("operations on group states check their arguments", async (t) => {
  const { client, connection } = await setUpConnected(t, { messageRetryOptions: once });
  const errors = [];
  for (const operation of [
    () => client.setGroupState("", {}),
    () => client.setGroupState("g", { a: 1 }),
    () => client.setGroupState("g", ["a"]),
    () => client.setGroupState("g"),
    () => client.setGroupState("g", entries(257)),
    () => client.subscribeGroupStates(""),
    () => client.unsubscribeGroupStates(5),
    () => client.subscribeGroupStates("g", { ackId: -1 }),
  ]) {
    const error = await failure(operation());
    assert.ok(error instanceof npmPackage.SendMessageError);
    errors.push(error.cause.name);
  }
  assert.deepEqual(errors, [
    "Error",
    "TypeError",
    "TypeError",
    "TypeError",
    "RangeError",
    "Error",
    "Error",
    "RangeError",
  ]);
  assert.deepEqual(connection.messages(), []);
  const largest = entries(256);
  await client.setGroupState("g", largest);
  assert.deepEqual((await connection.message()).state, largest);
});

test("an operation on group states can be aborted", async (t) => {
  const { service, client, connection } = await setUpConnected(t);
  service.answer = () => {};
  const abort = new AbortController();
  const subscribing = failure(client.subscribeGroupStates("g", { abortSignal: abort.signal }));
  await connection.message();
  abort.abort();
  assert.equal((await subscribing).message, "Cancelled by abortSignal");
});

test("the own state is known once it is set, of a joined group", async (t) => {
  const { client } = await setUpConnected(t);
  const notJoined = new Error("Group 'g' is not joined.");
  assert.throws(() => client.getGroupState("g"), notJoined);
  await client.joinGroup("g");
  assert.equal(client.getGroupState("g"), undefined);
  await client.setGroupState("g", { status: "typing" });
  const own = client.getGroupState("g");
  assert.deepEqual(own, { status: "typing" });
  own.status = "mutated";
  assert.deepEqual(client.getGroupState("g"), { status: "typing" });
  await client.clearGroupState("g");
  assert.equal(client.getGroupState("g"), undefined);
  await client.setGroupState("g", { status: "typing" });
  await client.leaveGroup("g");
  assert.throws(() => client.getGroupState("g"), notJoined);
  await client.joinGroup("g");
  assert.equal(client.getGroupState("g"), undefined);
});

test("only what is subscribed to can be listed", async (t) => {
  const { client } = await setUpConnected(t);
  const notSubscribed = new Error("Group state is not subscribed for group 'g'.");
  assert.throws(() => client.listGroupStates("g"), notSubscribed);
  await client.subscribeGroupStates("g");
  assert.deepEqual(client.listGroupStates("g"), []);
  await client.setGroupState("g", { status: "typing" });
  // What the service has not said is not listed.
  assert.deepEqual(client.listGroupStates("g"), []);
  await client.unsubscribeGroupStates("g");
  assert.throws(() => client.listGroupStates("g"), notSubscribed);
});

test("a snapshot replaces what is known", async (t) => {
  const { client, changed } = await subscribed(t);
  const items = [item("c1", 20, { status: "typing" }), item("c2", 20, { status: "away" })];
  assert.deepEqual(await changed(snapshot(...items)), items);
  client.listGroupStates("g")[0].state.status = "mutated";
  assert.deepEqual(client.listGroupStates("g"), items);
  assert.deepEqual(await changed(snapshot(items[1])), [items[1]]);
  assert.deepEqual(await changed(snapshot()), []);
});

test("of updates the one with the larger time counts", async (t) => {
  const { client, connection, changed, event } = await subscribed(t);
  const newest = item("c1", 20, { status: "new" });
  assert.deepEqual(await changed(update(newest)), [newest]);
  connection.say(update(item("c1", 19, { status: "old" })));
  assert.deepEqual(await changed(update(item("c2", 1, { status: "other" }))), [
    newest,
    item("c2", 1, { status: "other" }),
  ]);
  assert.deepEqual(await changed(update({ connectionId: "c1", updatedAt: 21 })), [item("c2", 1, { status: "other" })]);
  // Cleared is cleared: older news do not bring it back.
  connection.say(update(newest));
  connection.say({ type: "message", from: "server", dataType: "text", data: "barrier" });
  assert.equal((await event())[0], "server-message");
  assert.equal(client.listGroupStates("g").length, 1);
});

test("a cleared state is listed until the service says so", async (t) => {
  const { client, changed } = await subscribed(t);
  await client.joinGroup("g");
  await client.setGroupState("g", { status: "typing" });
  const own = item("c1", 20, { status: "typing" });
  assert.deepEqual(await changed(snapshot(own)), [own]);
  await client.clearGroupState("g");
  assert.equal(client.getGroupState("g"), undefined);
  assert.deepEqual(client.listGroupStates("g"), [own]);
  assert.deepEqual(await changed(update({ connectionId: "c1", updatedAt: 21 })), []);
});

test("what is known stays while it is subscribed to again", async (t) => {
  const { client, changed } = await subscribed(t);
  const known = item("c1", 20, { status: "typing" });
  assert.deepEqual(await changed(snapshot(known)), [known]);
  await client.subscribeGroupStates("g");
  assert.deepEqual(client.listGroupStates("g"), [known]);
  assert.deepEqual(await changed(snapshot()), []);
});

test("what changes nothing is no event", async (t) => {
  const { changed, connection, events } = await subscribed(t);
  const known = item("c1", 20, { status: "typing" });
  await changed(snapshot(known));
  for (const frame of [snapshot(known), snapshot(item("c1", 19, {})), update(known), update()]) connection.say(frame);
  assert.equal((await changed(update(item("c2", 1, { a: "b" })))).length, 2);
  assert.deepEqual(events(), []);
});

test("an anonymous member has no user id", async (t) => {
  const { changed } = await subscribed(t);
  const [record] = await changed(snapshot({ connectionId: "c1", state: { a: "b" }, updatedAt: 1 }));
  assert.equal(record.userId, undefined);
});

test("a snapshot before the ack counts", async (t) => {
  const { service, client } = await setUpConnected(t);
  service.answer = (connection, { ackId }) => {
    connection.say(snapshot(item("c1", 1, { a: "b" })));
    connection.ack(ackId);
  };
  await client.subscribeGroupStates("g");
  assert.equal(client.listGroupStates("g").length, 1);
});

test("on a reliable connection states are acknowledged, once each", async (t) => {
  const { changed, connection } = await subscribed(t);
  await changed({ ...snapshot(item("c1", 1, { a: "b" })), sequenceId: 1 });
  // The same again is a duplicate, whatever it says.
  connection.say({ ...snapshot(), sequenceId: 1 });
  assert.equal((await changed({ ...update(item("c2", 1, { a: "b" })), sequenceId: 502 })).length, 2);
  await connection.message();
  assert.deepEqual(await connection.message(), { type: "sequenceAck", sequenceId: 502 });
});

test("a new connection subscribes again, and knows nothing before", async (t) => {
  const { service, client, connection, changed, event } = await subscribed(t, { protocol: unreliable });
  await client.joinGroup("g");
  await client.setGroupState("g", { status: "typing" });
  await changed(snapshot(item("c1", 20, { status: "typing" })));
  connection.drop();
  assert.equal((await event())[0], "disconnected");
  assert.equal(client.listGroupStates("g").length, 1);
  const next = await service.connection();
  next.connected("c2");
  assert.deepEqual(await event(), ["group-states-changed", { group: "g" }]);
  assert.equal((await event())[0], "connected");
  assert.deepEqual(client.listGroupStates("g"), []);
  assert.equal(client.getGroupState("g"), undefined);
  assert.deepEqual(
    [await next.message(), await next.message()].map(({ type, group }) => [type, group]),
    [
      ["joinGroup", "g"],
      ["subscribeGroupState", "g"],
    ],
  );
});

test("a renewal that is refused is reported for its group", async (t) => {
  const options = { protocol: unreliable, messageRetryOptions: once };
  const { service, client, connection, event } = await subscribed(t, options);
  service.answer = (connection, { ackId }) => connection.refuse(ackId, "Forbidden");
  connection.drop();
  (await service.connection()).connected("c2");
  assert.deepEqual([(await event())[0], (await event())[0]], ["disconnected", "connected"]);
  const [name, { group, error }] = await event();
  assert.deepEqual([name, group, error.errorDetail.name], ["rejoin-group-failed", "g", "Forbidden"]);
  assert.deepEqual(client.listGroupStates("g"), []);
});

test("a recovery keeps subscriptions, states and the own state", async (t) => {
  const { service, client, connection, changed, event } = await subscribed(t);
  await client.joinGroup("g");
  await client.setGroupState("g", { status: "typing" });
  await changed(snapshot(item("c1", 20, { status: "typing" })));
  connection.drop();
  assert.equal((await event())[0], "recovering");
  await service.connection();
  assert.equal((await event())[0], "recovered");
  assert.equal(client.listGroupStates("g").length, 1);
  assert.deepEqual(client.getGroupState("g"), { status: "typing" });
});

test("wrong messages about states, and of other groups, do nothing", async (t) => {
  const { client, connection, changed } = await subscribed(t);
  for (const frame of [
    { type: "groupStateUpdate", group: "h", items: [item("c1", 1, { a: "b" })] },
    { type: "groupStateUpdate", group: "g" },
    { type: "groupStateUpdate", group: "g", items: 5 },
    { type: "groupStateSnapshot", group: "g", items: [null] },
    { type: "groupStateSnapshot" },
  ])
    connection.say(frame);
  assert.equal((await changed(update(item("c2", 1, { a: "b" })))).length, 1);
  assert.throws(() => client.listGroupStates("h"));
});
