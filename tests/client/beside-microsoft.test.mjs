// What an application makes and calls itself, beside Microsoft's: protocol objects and errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as microsoft from "@azure/web-pubsub-client-1.1";
import { npmPackage } from "./harness.mjs";

const ours = npmPackage.WebPubSubJsonReliableProtocol();
const theirs = microsoft.WebPubSubJsonReliableProtocol();

/** Frames with what makes a difference: `from` and `event`, data of each type, and what is there or missing. */
const frames = [
  { type: "message", from: "group", group: "g", fromUserId: "u", dataType: "text", data: "ü", sequenceId: 1 },
  { type: "message", from: "group", group: "g", dataType: "json", data: { a: [1] }, metadata: { trace: "t" } },
  { type: "message", from: "group", group: "g", dataType: "json", data: null },
  {
    type: "message",
    from: "group",
    group: "g",
    dataType: "text",
    data: "",
    stream: { streamId: "s", streamSequenceId: 1 },
  },
  { type: "message", from: "server", dataType: "binary", data: "AQI=" },
  { type: "message", from: "server", dataType: "protobuf", data: "" },
  { type: "message", from: "server", dataType: "xml", data: "<a/>" },
  { type: "message", from: "nowhere", dataType: "text", data: "a" },
  { type: "system", event: "connected", connectionId: "c", userId: null, reconnectionToken: "t" },
  { type: "system", event: "disconnected", message: "bye" },
  { type: "system", event: "else" },
  { type: "ack", ackId: 1, success: true },
  { type: "ack", ackId: 1, success: false, error: { name: "Forbidden", message: "no" } },
  { type: "pong" },
  { type: "invokeResponse", invocationId: "i", success: true, dataType: "json", data: 1 },
  { type: "invokeResponse", invocationId: "i", success: false, error: { name: "BadRequest", message: "no" } },
  { type: "cancelInvocation", invocationId: "i" },
  { type: "streamAck", streamId: "s", expectedSequenceId: 1 },
  { type: "streamNack", streamId: "s", name: "TransientError", expectedSequenceId: 2 },
  { type: "streamClosed", streamId: "s", error: { name: "IdleTimeout" } },
  { type: "groupStateSnapshot", group: "g", items: [], sequenceId: 1 },
  { type: "groupStateUpdate", group: "g", items: [{ connectionId: "c", updatedAt: 1 }] },
  { type: "else" },
];

test("each frame is read as Microsoft's protocol reads it", () => {
  // `type` stays with ours, and what is undefined with theirs.
  const plain = (message) =>
    JSON.parse(
      JSON.stringify(message, (name, value) => {
        if (value instanceof ArrayBuffer) return { bytes: [...new Uint8Array(value)] };
        return name === "type" ? undefined : value;
      }),
    );
  for (const frame of frames.map((frame) => JSON.stringify(frame)))
    assert.deepEqual(plain(ours.parseMessages(frame)), plain(theirs.parseMessages(frame)), frame);
});

test("each message is written as Microsoft's protocol writes it", () => {
  const bytes = Uint8Array.of(1, 2).buffer;
  const group = "g";
  const messages = /** @type {any[]} */ ([
    { kind: "joinGroup", group },
    { kind: "leaveGroup", group, ackId: 1 },
    { kind: "sendToGroup", group, noEcho: true, dataType: "text", data: "ü", ackId: 1 },
    { kind: "sendToGroup", group, noEcho: false, dataType: "json", data: { a: [1] } },
    { kind: "sendToGroup", group, noEcho: false, dataType: "binary", data: bytes },
    { kind: "sendToGroup", group, noEcho: false, stream: { streamId: "s", idleTimeoutInMs: 5 } },
    { kind: "sendEvent", event: "e", dataType: "protobuf", data: bytes, ackId: 2 },
    { kind: "sequenceAck", sequenceId: 4 },
    { kind: "ping" },
    { kind: "invoke", invocationId: "i", target: "event", event: "e", dataType: "json", data: 1 },
    { kind: "invokeResponse", invocationId: "i", success: true, dataType: "text", data: "a" },
    { kind: "cancelInvocation", invocationId: "i" },
    { kind: "streamData", streamId: "s" },
    { kind: "streamData", streamId: "s", streamSequenceId: 1, dataType: "text", data: "a" },
    { kind: "streamEnd", streamId: "s", error: { message: "m", userErrorCode: "c" } },
    { kind: "setGroupState", group, state: { a: "b" }, ackId: 1 },
    { kind: "subscribeGroupState", group },
    { kind: "unsubscribeGroupState", group, ackId: 1 },
  ]);
  const written = (protocol, message) => JSON.parse(/** @type {string} */ (protocol.writeMessage(message)));
  for (const message of messages)
    assert.deepEqual(written(ours, message), written(theirs, message), JSON.stringify(message));
  assert.throws(() => ours.writeMessage(/** @type {any} */ ({ kind: "ack" })), /Unsupported type: ack/);
});

test("errors have a name of their own, which JSON keeps", () => {
  const options = { ackId: 1, invocationId: "i", errorDetail: { name: "Forbidden", message: "no" } };
  const fields = (error) => JSON.parse(JSON.stringify(error));
  const { InvocationError, SendMessageError } = npmPackage;
  for (const [Ours, Theirs] of [
    [SendMessageError, microsoft.SendMessageError],
    [InvocationError, microsoft.InvocationError],
  ])
    assert.deepEqual(fields(new Ours("no", options)), fields(new Theirs("no", options)));
  assert.match(String(new SendMessageError("no", options).stack), /^SendMessageError: no/);
});
