// Group streams: the client's side, against a scripted service.
import assert from "node:assert/strict";
import { test } from "node:test";
import { npmPackage, setUpConnected, unreliable } from "./harness.mjs";

/** A service that accepts and acknowledges whatever streams send. */
function accepting(connection, { type, stream, streamId, streamSequenceId }) {
  if (stream) connection.say({ type: "streamAck", streamId: stream.streamId, expectedSequenceId: 1 });
  else if (type === "streamData")
    connection.say({ type: "streamAck", streamId, expectedSequenceId: streamSequenceId + 1 });
  else if (type === "streamEnd") connection.say({ type: "streamClosed", streamId });
}

/** A started client, and a service that accepts streams. */
async function streaming(t, options) {
  const all = await setUpConnected(t, options);
  all.service.answer = accepting;
  return all;
}

/** A fragment as the service delivers it. */
const fragment = (streamSequenceId, data, more = {}) => ({
  type: "message",
  from: "group",
  group: "g",
  fromUserId: "bob",
  dataType: "text",
  data,
  stream: { streamId: "s", streamSequenceId, ...more },
});

/**
 * The payloads of a stream, and what it ended with.
 * @returns {Promise<{ data: any[], error?: any }>}
 */
async function read(stream) {
  const data = [];
  try {
    for await (const message of stream) data.push(message.data);
    return { data };
  } catch (error) {
    return { data, error };
  }
}

/** The client's next messages. */
async function next(connection, count) {
  const messages = [];
  while (messages.length < count) messages.push(await connection.message());
  return messages;
}

/** A client that has not started. */
const setUpUnstarted = (t) => {
  const client = new npmPackage.WebPubSubClient("ws://127.0.0.1:1/client/hubs/chat");
  t.after(() => client.stop());
  return client;
};

const rejection = (promise) =>
  promise.then(
    () => undefined,
    ({ name, message }) => ({ name, message }),
  );

test("a stream is opened, written and ended, numbered from 1", async (t) => {
  const { client, connection } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s", noEcho: true, idleTimeoutInMs: 5000 });
  assert.equal(writer.streamId, "s");
  await writer.write("a", "text");
  await writer.write({ b: 1 }, "json");
  await writer.write(new Uint8Array([0, 255]).buffer, "binary");
  await writer.end();
  assert.deepEqual(await next(connection, 5), [
    { type: "sendToGroup", group: "g", noEcho: true, stream: { streamId: "s", idleTimeoutMs: 5000 } },
    { type: "streamData", streamId: "s", streamSequenceId: 1, dataType: "text", data: "a" },
    { type: "streamData", streamId: "s", streamSequenceId: 2, dataType: "json", data: { b: 1 } },
    { type: "streamData", streamId: "s", streamSequenceId: 3, dataType: "binary", data: "AP8=" },
    { type: "streamEnd", streamId: "s" },
  ]);
});

test("a stream without an id gets one of its own", async (t) => {
  const { client, connection } = await streaming(t);
  const writers = await Promise.all([client.openGroupStream("g"), client.openGroupStream("g")]);
  const started = await next(connection, 2);
  assert.deepEqual(new Set(started.map(({ stream }) => stream.streamId)).size, 2);
  assert.deepEqual(
    started.map(({ stream }) => stream),
    writers.map(({ streamId }) => ({ streamId })),
  );
  assert.equal(started[0].noEcho, false);
});

test("a stream is open when the service gives its go-ahead", async (t) => {
  const { service, client, connection } = await streaming(t);
  service.answer = () => {};
  let isOpen = false;
  const opening = client.openGroupStream("g", { streamId: "s" }).then(() => (isOpen = true));
  await connection.message();
  await client.sendToGroup("g", 1, "json", { fireAndForget: true });
  assert.equal(isOpen, false);
  connection.say({ type: "streamAck", streamId: "s", expectedSequenceId: 1 });
  await opening;
});

test("a refused start rejects with what the service said", async (t) => {
  const { service, client } = await streaming(t);
  service.answer = (connection, { stream }) =>
    connection.say({ type: "streamClosed", streamId: stream.streamId, error: { name: "Forbidden", message: "No." } });
  assert.deepEqual(await rejection(client.openGroupStream("g")), { name: "Forbidden", message: "No." });
});

test("an id in use, a client without a link, and bad arguments", async (t) => {
  const { client } = await streaming(t);
  await client.openGroupStream("g", { streamId: "s" });
  const failures = [];
  for (const [group, options] of [
    ["g", { streamId: "s" }],
    ["g", { streamId: "" }],
    ["", {}],
    ["g", { idleTimeoutInMs: 0 }],
    ["g", { idleTimeoutInMs: 2 ** 32 }],
  ])
    failures.push((await rejection(client.openGroupStream(group, options))).message);
  client.stop();
  failures.push((await rejection(setUpUnstarted(t).openGroupStream("g"))).message);
  assert.deepEqual(failures, [
    "Stream 's' already exists.",
    "A stream id is 1 to 256 characters.",
    "A group name is 1 to 1024 characters, not all of them white space.",
    "idleTimeoutInMs must be a whole number from 1 to 4294967295.",
    "idleTimeoutInMs must be a whole number from 1 to 4294967295.",
    "The connection is not connected.",
  ]);
});

test("nothing can be written after the end; the id is free again", async (t) => {
  const { client } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s" });
  await writer.end();
  const completed = { name: "Error", message: "Stream 's' is completed." };
  assert.deepEqual(await rejection(writer.write("a", "text")), completed);
  assert.deepEqual(await rejection(writer.end()), completed);
  // The service's answer to the end has come with the answer to this.
  await client.openGroupStream("g", { streamId: "t" });
  await client.openGroupStream("g", { streamId: "s" });
});

test("an abort says why", async (t) => {
  const { client, connection } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s" });
  await writer.abort({ message: "changed my mind", userErrorCode: "X" });
  const [, end] = await next(connection, 2);
  const error = { message: "changed my mind", userErrorCode: "X" };
  assert.deepEqual(end, { type: "streamEnd", streamId: "s", error });
});

test("content that does not fit its data type is refused", async (t) => {
  const { client, connection } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s" });
  assert.equal((await rejection(writer.write(1, "text"))).message, "Message must be a string.");
  assert.equal((await rejection(writer.write("a", "binary"))).message, "Message must be a ArrayBuffer");
  await writer.write("a", "text");
  const [, first] = await next(connection, 2);
  assert.equal(first.streamSequenceId, 1);
});

test("a recovery asks after a stream that has nothing to send", async (t) => {
  const { service, client, connection, event } = await streaming(t);
  const stream = await client.openGroupStream("g", { streamId: "s" });
  const failed = new Promise((resolve) => stream.onError(resolve));
  connection.drop();
  assert.equal((await event())[0], "recovering");
  const error = { name: "StreamNotFound", message: "There is none." };
  service.answer = (connection, { streamId }) => connection.say({ type: "streamClosed", streamId, error });
  const recovered = await service.connection();
  recovered.connected();
  assert.deepEqual(await next(recovered, 1), [{ type: "streamData", streamId: "s" }]);
  assert.deepEqual(await failed, error);
});

test("a recovery sends again what is not acknowledged, in order", async (t) => {
  const { service, client, connection, event } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s" });
  service.answer = () => {};
  for (const data of ["a", "b", "c"]) await writer.write(data, "text");
  connection.say({ type: "streamAck", streamId: "s", expectedSequenceId: 2 });
  await next(connection, 4);
  connection.drop();
  assert.equal((await event())[0], "recovering");
  const writing = writer.write("d", "text");
  const recovered = await service.connection();
  recovered.connected();
  await writing;
  assert.deepEqual(
    (await next(recovered, 3)).map(({ streamSequenceId, data }) => [streamSequenceId, data]),
    [
      [2, "b"],
      [3, "c"],
      [4, "d"],
    ],
  );
});

test("a stream without its go-ahead fails with the link", async (t) => {
  const { service, client, connection } = await streaming(t);
  service.answer = () => {};
  const opening = rejection(client.openGroupStream("g", { streamId: "s" }));
  await connection.message();
  connection.drop();
  const message = "Stream 's' failed before start acknowledgement because connection is unavailable.";
  assert.deepEqual(await opening, { name: "Error", message });
});

test("streams fail with their connection", async (t) => {
  const { client, service, connection, event } = await streaming(t, { protocol: unreliable });
  const writer = await client.openGroupStream("g", { streamId: "s" });
  const failed = new Promise((resolve) => writer.onError(resolve));
  connection.drop();
  const message = "Stream session aborted because the connection cannot be recovered.";
  assert.deepEqual(await failed, { name: "Error", message });
  assert.equal((await rejection(writer.write("a", "text"))).message, "Stream 's' is completed.");
  (await service.connection()).connected();
  assert.deepEqual([(await event())[0], (await event())[0]], ["disconnected", "connected"]);
  await client.openGroupStream("g", { streamId: "s" });
});

test("a stopped client's streams fail", async (t) => {
  const { client } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s" });
  const failed = new Promise((resolve) => writer.onError(resolve));
  client.stop();
  assert.equal((await failed).message, "Stream session aborted because the connection cannot be recovered.");
});

test("acks that make no sense end the stream as a violation", async (t) => {
  for (const expectedSequenceId of [0, 3]) {
    const { service, client, connection } = await streaming(t);
    const writer = await client.openGroupStream("g", { streamId: "s" });
    service.answer = () => {};
    const failed = new Promise((resolve) => writer.onError(resolve));
    await writer.write("a", "text");
    connection.say({ type: "streamAck", streamId: "s", expectedSequenceId });
    const { name, message } = await failed;
    assert.equal(name, "ProtocolViolation");
    const [, , end] = await next(connection, 3);
    assert.deepEqual(end, { type: "streamEnd", streamId: "s", error: { message, userErrorCode: name } });
    assert.equal((await rejection(writer.write("b", "text"))).message, "Stream 's' is completed.");
  }
});

test("the service's end of a stream reaches its writer", async (t) => {
  const { client, connection } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s" });
  const seen = [];
  const failed = new Promise((resolve) => writer.onError(resolve));
  writer.onError((error) => seen.push(error))();
  connection.say({ type: "streamClosed", streamId: "s", error: { name: "IdleTimeout", message: "Too long." } });
  assert.deepEqual(await failed, { name: "IdleTimeout", message: "Too long." });
  assert.deepEqual(seen, []);
  assert.equal((await rejection(writer.write("a", "text"))).message, "Stream 's' is completed.");
});

test("what the service did not take is sent again", async (t) => {
  const { service, client, connection } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s" });
  service.answer = () => {};
  for (const data of ["a", "b"]) await writer.write(data, "text");
  connection.say({ type: "streamNack", streamId: "s", name: "TransientError", expectedSequenceId: 2 });
  const sent = (await next(connection, 4)).slice(1);
  assert.deepEqual(
    sent.map(({ data }) => data),
    ["a", "b", "b"],
  );
});

test("a write that waits can be given up, and is not sent", async (t) => {
  const { service, client, connection, event } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s" });
  connection.drop();
  assert.equal((await event())[0], "recovering");
  const abort = new AbortController();
  const writing = rejection(writer.write("a", "text", { abortSignal: abort.signal }));
  abort.abort();
  assert.equal((await writing).name, "AbortError");
  assert.equal((await rejection(writer.write("a", "text", { abortSignal: abort.signal }))).name, "AbortError");
  const last = writer.write("b", "text");
  const recovered = await service.connection();
  recovered.connected();
  await last;
  const [first] = await next(recovered, 1);
  assert.deepEqual([first.streamSequenceId, first.data], [1, "b"]);
});

test("a listener gets each stream once, and its fragments in order", async (t) => {
  const { client, connection, event } = await setUpConnected(t);
  const streams = [];
  const ended = new Promise((resolve) => {
    client.onGroupStream((stream) => {
      streams.push([stream.groupName, stream.streamId]);
      if (stream.streamId === "s") resolve(read(stream).then((result) => [result, stream.abortSignal.aborted]));
    });
  });
  connection.say({ ...fragment(1, "a"), sequenceId: 1 });
  connection.say(fragment(1, "x", { streamId: "t" }));
  connection.say(fragment(2, "b"));
  connection.say(fragment(3, "", { endOfStream: true }));
  assert.deepEqual(await ended, [{ data: ["a", "b"] }, true]);
  assert.deepEqual(streams, [
    ["g", "s"],
    ["g", "t"],
  ]);
  // They are group messages all the same.
  assert.deepEqual([(await event())[1].message.data, (await event())[1].message.data], ["a", "x"]);
});

test("a fragment has all that a group message has", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const first = new Promise((resolve) => {
    client.onGroupStream(async (stream) => {
      for await (const message of stream) return resolve(message);
    });
  });
  connection.say({ ...fragment(1, "AP8=", { endOfStream: true }), dataType: "binary", sequenceId: 7 });
  assert.deepEqual(await first, {
    groupName: "g",
    fromUserId: "bob",
    sequenceId: 7,
    dataType: "binary",
    data: new Uint8Array([0, 255]).buffer,
    stream: { streamId: "s", streamSequenceId: 1, endOfStream: true },
  });
});

test("fragments that are not read are kept up to a bound", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const streams = [];
  client.onGroupStream((stream) => streams.push(stream));
  // What streams need is loaded by then.
  await client.subscribeGroupStates("g");
  for (let number = 1; number <= 16_390; number++) connection.say(fragment(number, String(number)));
  connection.say({ ...fragment(1, "other", { endOfStream: true }), group: "h" });
  await client.joinGroup("g");
  const [unread, other] = streams;
  assert.equal(unread.abortSignal.aborted, true);
  const { data, error } = await read(unread);
  assert.deepEqual([data.length, data.at(-1), error.name], [16_384, "16384", "TooManyUnread"]);
  assert.deepEqual([streams.length, await read(other)], [2, { data: ["other"] }]);
});

test("an error ends the iteration with it", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const ended = new Promise((resolve) => client.onGroupStream((stream) => resolve(read(stream))));
  connection.say(fragment(1, "a"));
  const error = { name: "UserError", message: "no", userErrorCode: "X" };
  connection.say(fragment(2, "", { endOfStream: true, error }));
  assert.deepEqual(await ended, { data: ["a"], error });
});

test("a silent stream ends with IdleTimeout", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const ended = new Promise((resolve) => {
    client.onGroupStream((stream) => resolve(read(stream)), { idleTimeoutInMs: 30 });
  });
  connection.say(fragment(1, "a"));
  const { data, error } = await ended;
  assert.deepEqual([data, error.name], [["a"], "IdleTimeout"]);
});

test("a listener may leave out groups, and streams begun before", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const seen = [];
  client.onGroupStream((stream) => seen.push(["from start", stream.streamId]), { handleFromStart: true });
  client.onGroupStream((stream) => seen.push(["of h", stream.streamId]), { groupNames: ["h"] });
  const all = new Promise((resolve) => {
    client.onGroupStream((stream) => stream.streamId === "last" && resolve(undefined));
  });
  connection.say(fragment(2, "b"));
  connection.say(fragment(1, "a"));
  connection.say(fragment(1, "a", { streamId: "t" }));
  connection.say({ ...fragment(2, "c", { streamId: "u" }), group: "h" });
  connection.say(fragment(1, "a", { streamId: "last" }));
  await all;
  assert.deepEqual(seen, [
    ["from start", "t"],
    ["of h", "u"],
    ["from start", "last"],
  ]);
});

test("a closed subscription ends its streams", async (t) => {
  const { client, connection } = await setUpConnected(t);
  let count = 0;
  let subscription;
  const ended = new Promise((resolve) => {
    subscription = client.onGroupStream((stream) => {
      count++;
      resolve(read(stream));
      void subscription.close();
    });
  });
  assert.equal(subscription.isActive, true);
  connection.say(fragment(1, "a"));
  assert.deepEqual(await ended, { data: ["a"] });
  assert.equal(subscription.isActive, false);
  const other = new Promise((resolve) => client.onGroupStream(resolve));
  connection.say(fragment(2, "b"));
  await other;
  assert.equal(count, 1);
});

test("a stopped client ends what it receives", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const ended = new Promise((resolve) => client.onGroupStream((stream) => resolve(read(stream))));
  const began = new Promise((resolve) => client.onGroupStream(resolve));
  connection.say(fragment(1, "a"));
  await began;
  client.stop();
  assert.deepEqual(await ended, { data: ["a"] });
});

test("a callback that throws refuses the stream, and is reported", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const reported = [];
  t.mock.method(console, "error", (error) => reported.push(error.message));
  let calls = 0;
  client.onGroupStream(() => {
    calls++;
    throw new Error("not mine");
  });
  const ended = new Promise((resolve) => client.onGroupStream((stream) => resolve(read(stream))));
  connection.say(fragment(1, "a"));
  connection.say(fragment(2, "b", { endOfStream: true }));
  assert.deepEqual(await ended, { data: ["a", "b"] });
  assert.deepEqual([calls, reported], [1, ["not mine"]]);
});

test("arguments that are none are refused at once", (t) => {
  const client = setUpUnstarted(t);
  assert.throws(() => client.onGroupStream(), TypeError);
  assert.throws(() => client.onGroupStream(() => {}, { idleTimeoutInMs: 0 }), RangeError);
});

test("messages about unknown streams, and wrong ones, do nothing", async (t) => {
  const { client, connection } = await streaming(t);
  const writer = await client.openGroupStream("g", { streamId: "s" });
  client.onGroupStream(() => assert.fail("a stream"));
  for (const frame of [
    { type: "streamAck", streamId: "x", expectedSequenceId: 9 },
    { type: "streamAck" },
    { type: "streamNack", streamId: 5 },
    { type: "streamClosed", streamId: "x", error: 1 },
    { type: "streamClosed" },
    { ...fragment(1, "a"), stream: { streamId: 1 } },
    { ...fragment(1, "a"), stream: "s" },
  ])
    connection.say(frame);
  await client.openGroupStream("g", { streamId: "t" });
  await writer.write("a", "text");
});
