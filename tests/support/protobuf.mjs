// Just enough of protobuf's wire format for the frames that tests send and get, and connections that speak it.
import assert from "node:assert/strict";
import { PROTOBUF_V1, Socket } from "./socket.mjs";

/** The fields of `MessageData`, by the kind of data. */
export const DATA = { text: 1, binary: 2, protobuf: 3, json: 4 };

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** @param {number | bigint} number */
function varint(number) {
  const bytes = [];
  let rest = BigInt(number);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/**
 * A field of a whole number, of text, or of bytes, which may be a message's.
 * @param {number} number
 * @param {number | bigint | string | Uint8Array} value
 */
export function field(number, value) {
  if (typeof value === "number" || typeof value === "bigint")
    return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

/**
 * A message of these fields.
 * @param {...Buffer} fields
 */
export const message = (...fields) => Buffer.concat(fields);

/**
 * The bytes of a length-delimited field, found by the numbers of the fields that lead to it.
 * @param {string | Buffer} frame
 * @param {...number} path
 */
export function bytesAt(frame, ...path) {
  /** @type {Buffer} */
  let bytes = Buffer.from(frame);
  for (const wanted of path) bytes = find(bytes, wanted);
  return bytes;
}

/**
 * @param {Buffer} bytes
 * @param {number} wanted
 */
function find(bytes, wanted) {
  let at = 0;
  const next = () => {
    let [value, scale, byte] = [0, 1, 0];
    do {
      byte = bytes[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  };
  while (at < bytes.length) {
    const tag = next();
    const value = next();
    if (tag % 8 !== LENGTH_DELIMITED) continue;
    if (tag >> 3 === wanted) return bytes.subarray(at, at + value);
    at += value;
  }
  throw new Error(`no field ${wanted} in ${bytes.toString("hex")}`);
}

/**
 * What went wrong, as acks and answers to invocations have it.
 * @param {string} name
 * @param {string} text
 */
export const error = (name, text) => message(field(1, name), field(2, text));

/**
 * An ack of success.
 * @param {number | bigint} ackId
 */
export const acked = (ackId) => field(1, message(field(1, ackId), field(2, 1)));
/**
 * An ack of failure.
 * @param {number | bigint} ackId
 * @param {string} name
 * @param {string} text
 */
export const refused = (ackId, name, text) => field(1, message(field(1, ackId), field(3, error(name, text))));

/**
 * A connection of a protobuf subprotocol; `connected` holds what its first frame says.
 * @param {import("./hub.mjs").Hub} hub
 * @param {{ protocol?: string } & import("./hub.mjs").ClientOptions} options
 */
export async function connectProtobuf(hub, { protocol = PROTOBUF_V1, ...options } = {}) {
  const socket = await Socket.open(hub.clientUrl(options), { protocols: protocol });
  assert.equal(socket.protocol, protocol);
  const connected = bytesAt(await socket.next("the connected message"), 3, 1);
  socket.id = bytesAt(connected, 1).toString();
  return Object.assign(socket, { connected });
}
