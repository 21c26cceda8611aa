// The protobuf subprotocols' module: what it reads and writes, and a client that speaks them.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { readVectors } from "../support/vectors.mjs";
import { root } from "../support/service.mjs";
import { npmPackage } from "./harness.mjs";

const { WebPubSubProtobufProtocol, WebPubSubProtobufReliableProtocol } = await import(
  path.join(root, "build", "client", "dist", "protobuf-node.js")
);
const protobuf = WebPubSubProtobufReliableProtocol();
const json = npmPackage.WebPubSubJsonProtocol();

const bytesOf = (hex) => new Uint8Array(Buffer.from(hex, "hex")).buffer;
const hexOf = (buffer) => Buffer.from(buffer).toString("hex").toUpperCase();

test("the protobuf protocols have their names, and load themselves", async () => {
  const plain = WebPubSubProtobufProtocol();
  assert.deepEqual([plain.name, plain.isReliableSubProtocol], ["protobuf.webpubsub.azure.v1", false]);
  assert.deepEqual([protobuf.name, protobuf.isReliableSubProtocol], ["protobuf.reliable.webpubsub.azure.v1", true]);
  assert.throws(() => plain.writeMessage({ kind: "ping" }), /load\(\)/);
  await plain.load();
  assert.ok(plain.writeMessage({ kind: "ping" }) instanceof ArrayBuffer);
});

/** A vector's payload as messages have it. */
const payload = ({ dataType, data }) => ({
  dataType,
  data: dataType === "json" ? JSON.parse(data) : dataType === "text" ? data : bytesOf(data),
});

/** The messages that clients write, by the vectors' words; none for what no client of the package says. */
const messages = {
  joinGroup: ({ group, ackId }) => ({ kind: "joinGroup", group, ackId }),
  leaveGroup: ({ group, ackId }) => ({ kind: "leaveGroup", group, ackId }),
  sendToGroup: (it) => ({ kind: "sendToGroup", group: it.group, ackId: it.ackId, noEcho: it.noEcho, ...payload(it) }),
  event: (it) => ({ kind: "sendEvent", event: it.event, ackId: it.ackId, ...payload(it) }),
  ping: () => ({ kind: "ping" }),
  sequenceAck: ({ sequenceId }) => ({ kind: "sequenceAck", sequenceId: Number(sequenceId) }),
  cancelInvocation: ({ invocationId }) => ({ kind: "cancelInvocation", invocationId }),
};

const written = readVectors("client-protobuf/upstream").filter(
  ({ canonical, expected: it }) =>
    canonical &&
    messages[it.message] &&
    !it.ttlSeconds &&
    !it.metadata?.length &&
    // JavaScript prints JSON in one way.
    (it.dataType !== "json" || JSON.stringify(JSON.parse(it.data)) === it.data) &&
    [it.ackId, it.sequenceId].every((id) => id == null || Number.isSafeInteger(Number(id))),
);

test("what clients write is what the vectors have", async () => {
  await protobuf.load();
  assert.ok(written.length >= 8, String(written.length));
  for (const { name, input, expected } of written) {
    const ackId = expected.ackId == null ? undefined : Number(expected.ackId);
    const message = messages[expected.message]({ ...expected, ackId });
    assert.equal(hexOf(protobuf.writeMessage(message)), input, name);
  }
});

test("what the service sends is read as its JSON would be", async () => {
  await protobuf.load();
  const same = [
    ["0A0408011001", { type: "ack", ackId: 1, success: true }],
    [
      "0A1308011A0F0A09466F7262696464656E12026E6F",
      { type: "ack", ackId: 1, success: false, error: { name: "Forbidden", message: "no" } },
    ],
    [
      "12130A067365727665721A0922077B2261223A317D",
      { type: "message", from: "server", dataType: "json", data: { a: 1 } },
    ],
    ["120E0A067365727665721A04120200FF", { type: "message", from: "server", dataType: "binary", data: "AP8=" }],
    [
      "1A0E0A0C0A026331120275311A027274",
      { type: "system", event: "connected", userId: "u1", connectionId: "c1", reconnectionToken: "rt" },
    ],
    ["1A0712051203627965", { type: "system", event: "disconnected", message: "bye" }],
  ];
  for (const [hex, frame] of /** @type {[string, object][]} */ (same)) {
    assert.deepEqual(protobuf.parseMessages(bytesOf(hex)), json.parseMessages(JSON.stringify(frame)), hex);
  }
  for (const { name, input, expected } of readVectors("client-protobuf/downstream")) {
    const message = protobuf.parseMessages(bytesOf(input));
    assert.equal(message === null, expected.ignored === true, name);
  }
});

test("what is no frame of the protobuf protocols throws", async () => {
  await protobuf.load();
  for (const { name, input } of readVectors("client-protobuf/downstream-refused")) {
    assert.throws(() => protobuf.parseMessages(bytesOf(input)), TypeError, name);
  }
  assert.throws(() => protobuf.parseMessages("text"), TypeError);
  assert.throws(() => protobuf.writeMessage({ kind: "ack", ackId: 1 }), Error);
  assert.throws(() => protobuf.writeMessage({ kind: "joinGroup", group: "" }), TypeError);
});

test("what the protobuf protocols cannot say is refused as such", async () => {
  await protobuf.load();
  for (const message of [
    { kind: "joinGroup", group: "" },
    { kind: "sendToGroup", group: "g", noEcho: false, dataType: "protobuf", data: new Uint8Array([255]).buffer },
  ])
    assert.throws(
      () => protobuf.writeMessage(message),
      new TypeError(`A protobuf subprotocol cannot say this message of kind ${message.kind}.`),
    );
});
