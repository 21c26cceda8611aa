// Protocol objects: the package's own by themselves, and an application's in a client.
import assert from "node:assert/strict";
import { test } from "node:test";
import { npmPackage, once, setUp, setUpConnected } from "./harness.mjs";
import { cases } from "../support/cases.mjs";

const { InvocationError, SendMessageError, WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } =
  npmPackage;

const json = WebPubSubJsonReliableProtocol();

/** A protocol like the JSON one, with some of it replaced. */
const custom = (more) => ({
  name: "custom.v1",
  isReliableSubProtocol: true,
  parseMessages: (input) => json.parseMessages(input),
  writeMessage: (message) => json.writeMessage(message),
  ...more,
});

/** Collects what is reported instead of thrown, while a test runs. */
function reports(t) {
  return t.mock.method(
    globalThis.reportError ? globalThis : console,
    globalThis.reportError ? "reportError" : "error",
    () => {},
  ).mock;
}

test("the protocols have the official names", () => {
  for (const [protocol, name, isReliableSubProtocol] of [
    [WebPubSubJsonProtocol(), "json.webpubsub.azure.v1", false],
    [WebPubSubJsonReliableProtocol(), "json.reliable.webpubsub.azure.v1", true],
  ]) {
    assert.deepEqual(
      { name: protocol.name, isReliable: protocol.isReliableSubProtocol },
      { name, isReliable: isReliableSubProtocol },
    );
  }
});

test("the JSON protocols read every kind of frame", () => {
  const kinds = cases([
    [{ type: "system", event: "connected", connectionId: "c" }, "connected"],
    [{ type: "system", event: "disconnected", message: "m" }, "disconnected"],
    [{ type: "ack", ackId: 1, success: true }, "ack"],
    [{ type: "pong" }, "pong"],
    [{ type: "message", from: "group", group: "g", dataType: "text", data: "" }, "groupData"],
    [{ type: "message", from: "server", dataType: "json", data: 0 }, "serverData"],
    [{ type: "invokeResponse", invocationId: "1", success: true }, "invokeResponse"],
    [{ type: "streamAck", streamId: "s", expectedSequenceId: 1 }, "streamAck"],
    [{ type: "streamNack", streamId: "s", name: "n", expectedSequenceId: 1 }, "streamNack"],
    [{ type: "streamClosed", streamId: "s" }, "streamClosed"],
    [{ type: "groupStateSnapshot", group: "g", items: [] }, "groupStateSnapshot"],
    [{ type: "groupStateUpdate", group: "g", items: [] }, "groupStateUpdate"],
  ]);
  for (const [frame, kind] of kinds) {
    assert.deepEqual(json.parseMessages(JSON.stringify(frame)), { ...frame, kind });
  }
  for (const frame of [
    { type: "unheard of" },
    { type: "system", event: "other" },
    { type: "message", from: "other" },
    null,
    1,
  ]) {
    assert.equal(json.parseMessages(JSON.stringify(frame)), null);
  }
  for (const input of ["", "{", new ArrayBuffer(2)]) assert.throws(() => json.parseMessages(input));
});

test("the JSON protocols write every kind of message", () => {
  const bytes = new Uint8Array([0, 255]).buffer;
  const written = [
    [
      { kind: "joinGroup", group: "g", ackId: 1 },
      { type: "joinGroup", group: "g", ackId: 1 },
    ],
    [
      { kind: "leaveGroup", group: "g" },
      { type: "leaveGroup", group: "g" },
    ],
    [
      { kind: "sendToGroup", group: "g", noEcho: true, dataType: "binary", data: bytes },
      { type: "sendToGroup", group: "g", noEcho: true, dataType: "binary", data: "AP8=" },
    ],
    [
      { kind: "sendToGroup", group: "g", noEcho: false, ackId: 2, stream: { streamId: "s", idleTimeoutInMs: 5 } },
      { type: "sendToGroup", group: "g", noEcho: false, ackId: 2, stream: { streamId: "s", idleTimeoutMs: 5 } },
    ],
    [
      { kind: "sendEvent", event: "e", dataType: "json", data: [null] },
      { type: "event", event: "e", dataType: "json", data: [null] },
    ],
    [
      { kind: "invoke", invocationId: "1", target: "event", event: "e", dataType: "text", data: "" },
      { type: "invoke", invocationId: "1", target: "event", event: "e", dataType: "text", data: "" },
    ],
    [
      { kind: "cancelInvocation", invocationId: "1" },
      { type: "cancelInvocation", invocationId: "1" },
    ],
    [
      { kind: "sequenceAck", sequenceId: 9 },
      { type: "sequenceAck", sequenceId: 9 },
    ],
    [{ kind: "ping" }, { type: "ping" }],
    [
      { kind: "streamData", streamId: "s" },
      { type: "streamData", streamId: "s" },
    ],
    [
      { kind: "streamData", streamId: "s", streamSequenceId: 1, dataType: "text", data: "x" },
      { type: "streamData", streamId: "s", streamSequenceId: 1, dataType: "text", data: "x" },
    ],
    [
      { kind: "streamEnd", streamId: "s", error: { message: "m", userErrorCode: "c" } },
      { type: "streamEnd", streamId: "s", error: { message: "m", userErrorCode: "c" } },
    ],
    [
      { kind: "setGroupState", group: "g", state: { a: "b" }, ackId: 1 },
      { type: "setGroupState", group: "g", state: { a: "b" }, ackId: 1 },
    ],
    [
      { kind: "subscribeGroupState", group: "g" },
      { type: "subscribeGroupState", group: "g" },
    ],
    [
      { kind: "unsubscribeGroupState", group: "g" },
      { type: "unsubscribeGroupState", group: "g" },
    ],
  ];
  for (const [message, frame] of written) assert.deepEqual(JSON.parse(json.writeMessage(message)), frame);
  assert.throws(() => json.writeMessage({ kind: "ack", ackId: 1 }), { message: "Unsupported type: ack" });
  assert.throws(() => json.writeMessage({ kind: "sendEvent", event: "e", dataType: "text", data: 1 }), TypeError);
});

test("what is no protocol is refused by the constructor", () => {
  for (const protocol of [
    {},
    { name: "x" },
    { ...json, name: "" },
    { ...json, parseMessages: 1 },
    { ...json, writeMessage: null },
  ]) {
    assert.throws(() => new WebPubSubClient("wss://example.com", { protocol }), TypeError);
  }
});

test("an own protocol is offered, and writes and reads frames", async (t) => {
  const written = [];
  const protocol = custom({
    writeMessage(message) {
      written.push(message);
      return json.writeMessage(message);
    },
  });
  const { client, connection, event } = await setUpConnected(t, { protocol });
  assert.equal(connection.protocol, "custom.v1");
  const bytes = new Uint8Array([9, 0, 255, 9]).subarray(1, 3);
  await client.joinGroup("g");
  await client.sendToGroup("g", bytes, "binary", { noEcho: true });
  await event();
  await client.sendEvent("e", { a: 1 }, "json", { fireAndForget: true });
  assert.deepEqual(
    written.filter(({ kind }) => kind !== "ping"),
    [
      { kind: "joinGroup", group: "g", ackId: 1 },
      { kind: "sendToGroup", group: "g", ackId: 2, noEcho: true, dataType: "binary", data: bytes.slice().buffer },
      { kind: "sendEvent", event: "e", dataType: "json", data: { a: 1 } },
    ],
  );
});

test("frames of one's own protocol may be bytes, both ways", async (t) => {
  const protocol = custom({
    parseMessages(input) {
      assert.ok(input instanceof ArrayBuffer);
      return json.parseMessages(new TextDecoder().decode(input));
    },
    writeMessage: (message) => new TextEncoder().encode(json.writeMessage(message)).buffer,
  });
  const { service, client } = await setUp(t, { protocol });
  const [connection] = await Promise.all([service.connection(), client.start()]);
  const frames = [];
  connection.socket.on("message", (_data, isBinary) => frames.push(isBinary));
  const say = connection.say.bind(connection);
  connection.say = (frame) => connection.socket.send(Buffer.from(JSON.stringify(frame)));
  connection.connected();
  assert.deepEqual(await client.joinGroup("g"), { ackId: 1, isDuplicated: false });
  assert.ok(frames.length > 0 && frames.every(Boolean));
  connection.say = say;
});

test("one frame may bring several messages, or none", async (t) => {
  const protocol = custom({
    parseMessages: (input) =>
      input === "nothing" ? null : JSON.parse(input).map((one) => json.parseMessages(JSON.stringify(one))),
  });
  const { service, client, event } = await setUp(t, { protocol });
  const [connection] = await Promise.all([service.connection(), client.start()]);
  const text = (data) => ({ type: "message", from: "server", dataType: "text", data });
  connection.socket.send("nothing");
  connection.socket.send("[]");
  connection.socket.send(
    JSON.stringify([{ type: "system", event: "connected", connectionId: "c" }, text("a"), { type: "odd" }, text("b")]),
  );
  assert.equal((await event())[0], "connected");
  assert.equal((await event())[1].message.data, "a");
  assert.equal((await event())[1].message.data, "b");
});

test("what reading throws is reported, and disturbs nothing", async (t) => {
  const mock = reports(t);
  const mine = new Error("mine");
  const protocol = custom({
    parseMessages(input) {
      if (input === "bad") throw mine;
      return json.parseMessages(input);
    },
  });
  const { client, connection } = await setUpConnected(t, { protocol });
  connection.socket.send("bad");
  assert.deepEqual(await client.joinGroup("g"), { ackId: 1, isDuplicated: false });
  assert.deepEqual(
    mock.calls.map((call) => call.arguments),
    [[mine]],
  );
});

test("messages of any shape that reading gives disturb nothing", async (t) => {
  const odd = [
    1,
    "x",
    undefined,
    {},
    { kind: "unheard of" },
    { kind: "ack" },
    { kind: "ack", ackId: "1", success: true },
    { kind: "connected" },
    { kind: "connected", connectionId: 7, userId: {} },
    { kind: "disconnected", message: 1 },
    { kind: "invokeResponse" },
    { kind: "invokeResponse", invocationId: {}, error: 1 },
  ];
  const protocol = custom({ parseMessages: (input) => (input === "odd" ? odd : json.parseMessages(input)) });
  const { client, connection } = await setUpConnected(t, { protocol });
  connection.socket.send("odd");
  assert.deepEqual(await client.joinGroup("g"), { ackId: 1, isDuplicated: false });
});

test("what writing throws fails the operation at once", async (t) => {
  const mock = reports(t);
  const mine = new Error("mine");
  const protocol = custom({
    writeMessage(message) {
      if (message.kind !== "ping") throw mine;
      return json.writeMessage(message);
    },
  });
  const { client, connection } = await setUpConnected(t, { protocol });
  for (const operation of [
    client.joinGroup("g"),
    client.leaveGroup("g"),
    client.sendToGroup("g", "x", "text"),
    client.sendToGroup("g", "x", "text", { fireAndForget: true }),
    client.sendEvent("e", "x", "text"),
  ]) {
    const error = await operation.catch((error) => error);
    assert.ok(error instanceof SendMessageError);
    assert.deepEqual([error.message, error.cause], ["mine", mine]);
  }
  const error = await client.invokeEvent("e", 1, "json", { invocationId: "1" }).catch((error) => error);
  assert.ok(error instanceof InvocationError);
  assert.deepEqual([error.message, error.cause, error.invocationId], ["mine", mine, "1"]);
  assert.deepEqual(connection.messages(), []);
  // What takes an invocation back could not be written either, and there is no call that it could fail.
  assert.ok(mock.calls.every((call) => call.arguments[0] === mine));
});

test("a group that cannot be joined again is reported as such", async (t) => {
  let fails = false;
  const protocol = custom({
    writeMessage(message) {
      if (fails && message.kind === "joinGroup") throw new Error("mine");
      return json.writeMessage(message);
    },
  });
  const { service, client, connection, event } = await setUpConnected(t, { protocol });
  await client.joinGroup("g");
  fails = true;
  connection.close(1008);
  assert.equal((await event())[0], "disconnected");
  (await service.connection()).connected("c2");
  const [name, { group, error }] = await event();
  assert.deepEqual([name, group, error.errorDetail.message], ["rejoin-group-failed", "g", "mine"]);
  assert.equal((await event())[0], "connected");
});

test("what a protocol needs first is loaded by the start", async (t) => {
  const steps = [];
  const protocol = custom({
    load: async () => void steps.push("load"),
    writeMessage(message) {
      steps.push(message.kind);
      return json.writeMessage(message);
    },
  });
  await setUpConnected(t, { protocol });
  assert.deepEqual(steps.slice(0, 2), ["load", "ping"]);
  const mine = new Error("mine");
  const { client } = await setUp(t, {
    messageRetryOptions: once,
    protocol: custom({ load: () => Promise.reject(mine) }),
  });
  await assert.rejects(client.start(), mine);
});

test("a load that throws fails every start that asks for it", async (t) => {
  const mine = new Error("mine");
  const load = () => {
    throw mine;
  };
  const { client } = await setUp(t, { protocol: custom({ load }) });
  await assert.rejects(client.start(), mine);
  await assert.rejects(client.start(), mine);
});

test("values that an own protocol gets are checked like others", async (t) => {
  const { client } = await setUpConnected(t, { protocol: custom() });
  for (const [content, dataType] of cases([
    [1, "text"],
    ["x", "binary"],
    [null, "json"],
    ["x", "xml"],
  ])) {
    const error = await client.sendToGroup("g", content, dataType).catch((error) => error);
    assert.ok(error instanceof SendMessageError && error.cause instanceof TypeError, dataType);
  }
});
