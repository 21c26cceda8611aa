// The kinds of clients as far as events go: each sends them, and receives what came of them, in its own way.
//
// Payloads are written as they reach an event handler: text and JSON as a string, binary and protobuf as bytes.
import assert from "node:assert/strict";
import { acked, connectProtobuf, DATA, field, message, refused } from "./protobuf.mjs";

/**
 * What a client sends with an event, and receives as its answer.
 * @typedef {{ dataType?: string, data?: string | Buffer, metadata?: Record<string, string> }} Payload
 *
 * One kind of clients. `sends` are the types of payloads that it has.
 * @typedef {{
 *   name: string, subprotocol?: string, sends: string[],
 *   connect(hub: import("./hub.mjs").Hub, options?: import("./hub.mjs").ClientOptions): Promise<Socket>,
 *   send(socket: Socket, event: Payload & { event?: string, ackId?: number }): void,
 *   receives(socket: Socket, answer: Payload & { dataType: string, data: string | Buffer }): Promise<void>,
 *   succeeds(socket: Socket, ackId: number): Promise<void>,
 *   fails(socket: Socket, ackId: number): Promise<void>,
 *   expectSilence?(socket: Socket): Promise<void>,
 * }} ClientKind
 * @typedef {import("./socket.mjs").Socket} Socket
 */

/** @param {string} dataType */
const isBytes = (dataType) => dataType === "binary" || dataType === "protobuf";

/** An `Any` as it is serialized. */
export const ANY = message(
  field(1, "type.googleapis.com/google.protobuf.StringValue"),
  field(2, message(field(1, "hi"))),
);

/**
 * A payload of every kind, with the content type that it has at an event handler.
 * @type {{ dataType: string, data: string | Buffer, contentType: string }[]}
 */
export const PAYLOADS = [
  { dataType: "text", data: "grüße 🚀", contentType: "text/plain" },
  { dataType: "json", data: '{ "a":[1.0,null] }', contentType: "application/json" },
  { dataType: "binary", data: Buffer.from([0, 255, 13, 10]), contentType: "application/octet-stream" },
  { dataType: "protobuf", data: ANY, contentType: "application/x-protobuf" },
];

/** @type {ClientKind} */
const jsonClients = {
  name: "JSON",
  subprotocol: "json.webpubsub.azure.v1",
  sends: ["text", "json", "binary", "protobuf"],
  connect: (hub, options) => hub.connect(options),

  send(socket, { event = "message", dataType = "text", data = "hi", ackId, metadata }) {
    const rest = JSON.stringify({ event, dataType, ackId, metadata }).slice(1);
    socket.send(`{"type":"event","data":${inJson(dataType, data)},${rest}`);
  },

  async receives(socket, { dataType, data, metadata }) {
    const rest = metadata ? `,"metadata":${JSON.stringify(metadata)}` : "";
    assert.equal(
      await socket.next("the answer"),
      `{"type":"message","from":"server","dataType":"${dataType}","data":${inJson(dataType, data)}${rest}}`,
    );
  },

  async succeeds(socket, ackId) {
    assert.deepEqual(await socket.json("the ack"), { type: "ack", ackId, success: true });
  },

  async fails(socket, ackId) {
    const error = { name: "InternalServerError", message: "Internal server error" };
    assert.deepEqual(await socket.json("the ack"), { type: "ack", ackId, success: false, error });
  },

  expectSilence: (socket) => socket.expectSilence(),
};

/**
 * @param {string} dataType
 * @param {string | Buffer} data
 */
const inJson = (dataType, data) =>
  isBytes(dataType) ? JSON.stringify(data.toString("base64")) : dataType === "json" ? data : JSON.stringify(data);

/** @param {string} dataType */
const numberOf = (dataType) => DATA[/** @type {keyof typeof DATA} */ (dataType)];

/** @type {ClientKind} */
const protobufClients = {
  name: "protobuf",
  subprotocol: "protobuf.webpubsub.azure.v1",
  sends: ["text", "json", "binary", "protobuf"],
  connect: (hub, options) => connectProtobuf(hub, options),

  send(socket, { event = "message", dataType = "text", data = "hi", ackId, metadata = {} }) {
    const ack = ackId === undefined ? [] : [field(3, ackId)];
    socket.send(
      field(5, message(field(1, event), field(2, field(numberOf(dataType), data)), ...ack, ...entries(4, metadata))),
    );
  },

  async receives(socket, { dataType, data, metadata = {} }) {
    const expected = field(
      2,
      message(field(1, "server"), field(3, field(numberOf(dataType), data)), ...entries(5, metadata)),
    );
    assert.deepEqual(await socket.next("the answer"), expected);
  },

  async succeeds(socket, ackId) {
    assert.deepEqual(await socket.next("the ack"), acked(ackId));
  },

  async fails(socket, ackId) {
    assert.deepEqual(await socket.next("the ack"), refused(ackId, "InternalServerError", "Internal server error"));
  },

  async expectSilence(socket) {
    socket.send(field(9, ""));
    assert.deepEqual(await socket.next("a pong"), field(4, ""), "nothing was to come before the pong");
  },
};

/**
 * @param {number} number
 * @param {Record<string, string>} metadata
 */
const entries = (number, metadata) =>
  Object.entries(metadata).map(([key, value]) => field(number, message(field(1, key), field(2, value))));

/** @type {ClientKind} */
const simpleClients = {
  name: "simple",
  sends: ["text", "binary"],
  connect: (hub, options) => hub.connectSimple(options),

  send(socket, { data = "hi" }) {
    socket.send(data);
  },

  async receives(socket, { dataType, data = "" }) {
    assert.deepEqual(await socket.next("the answer"), isBytes(dataType) ? Buffer.from(data) : data);
  },

  /** It is sent none. */
  async succeeds() {},

  async fails(socket) {
    assert.deepEqual(await socket.closed(), { code: 1011, reason: "Internal server error" });
  },
};

export const clientKinds = [jsonClients, protobufClients, simpleClients];
