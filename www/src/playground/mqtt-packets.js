// Packets of MQTT 5.0, as far as the playground sends and shows them.

const TYPES = [
  "",
  "CONNECT",
  "CONNACK",
  "PUBLISH",
  "PUBACK",
  "PUBREC",
  "PUBREL",
  "PUBCOMP",
  "SUBSCRIBE",
  "SUBACK",
  "UNSUBSCRIBE",
  "UNSUBACK",
  "PINGREQ",
  "PINGRESP",
  "DISCONNECT",
];

/** What is wrong, by the code of a packet; others are shown as their number. */
const REASONS = {
  128: "unspecified error",
  129: "malformed packet",
  130: "protocol error",
  133: "the client id is not valid",
  134: "bad user name or password",
  135: "not authorized",
  138: "banned",
  141: "keep-alive timeout",
  142: "another connection took the session over",
  143: "the topic filter is not valid",
  144: "the topic is not valid",
  149: "the packet is too large",
  151: "quota exceeded",
  152: "closed by a server",
  153: "the payload is not what its format says",
  158: "shared subscriptions are not supported",
  162: "wildcards are not supported",
};

export const reasonInWords = (code) => REASONS[code] ?? `code ${code}`;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const u16 = (number) => [number >> 8, number & 255];
const u32 = (number) => [...u16(number >>> 16), ...u16(number & 65_535)];

function text(value) {
  const bytes = encoder.encode(value);
  return [...u16(bytes.length), ...bytes];
}

function varint(number) {
  const bytes = [];
  do {
    bytes.push((number % 128) + (number > 127 ? 128 : 0));
    number = Math.floor(number / 128);
  } while (number > 0);
  return bytes;
}

const withLength = (bytes) => [...varint(bytes.length), ...bytes];

/** @returns {ArrayBuffer} */
const packet = (type, flags, ...parts) => {
  const body = parts.flat();
  return Uint8Array.from([TYPES.indexOf(type) * 16 + flags, ...withLength(body)]).buffer;
};

/** A new session that ends with its connection. */
export const connect = (id, keepAlive) => packet("CONNECT", 0, text("MQTT"), [5, 2], u16(keepAlive), [0], text(id));

/** Subscribes at QoS 1. */
export const subscribe = (id, filter) => packet("SUBSCRIBE", 2, u16(id), [0], text(filter), [1]);

export const unsubscribe = (id, filter) => packet("UNSUBSCRIBE", 2, u16(id), [0], text(filter));

/**
 * A PUBLISH; without a packet id at QoS 0.
 *
 * @param {string} topic
 * @param {Uint8Array} payload
 * @param {{ id?: number, isText?: boolean, contentType?: string, ttlSeconds?: number, metadata?: Record<string, string> }} options
 */
export function publish(topic, payload, { id, isText, contentType, ttlSeconds, metadata = {} }) {
  const properties = [
    ...(isText ? [1, 1] : []),
    ...(ttlSeconds ? [2, ...u32(ttlSeconds)] : []),
    ...(contentType ? [3, ...text(contentType)] : []),
    ...Object.entries(metadata).flatMap(([name, value]) => [38, ...text(name), ...text(value)]),
  ];
  return packet("PUBLISH", id ? 2 : 0, text(topic), id ? u16(id) : [], withLength(properties), [...payload]);
}

export const puback = (id) => packet("PUBACK", 0, u16(id));
export const pingreq = () => packet("PINGREQ", 0);
export const disconnect = () => packet("DISCONNECT", 0);

/** What is in a message of whole packets, in order, for the log and for the client. */
export function read(data) {
  const bytes = new Uint8Array(data);
  const packets = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at];
    const [length, begin] = readVarint(bytes, at + 1);
    packets.push(readPacket(TYPES[first >> 4], first & 15, bytes.subarray(begin, begin + length)));
    at = begin + length;
  }
  return packets;
}

function readVarint(bytes, at) {
  let [value, scale] = [0, 1];
  for (; ; scale *= 128) {
    const byte = bytes[at++];
    value += (byte % 128) * scale;
    if (!(byte > 127) || scale > 2_097_152) return [value, at];
  }
}

const readU16 = (bytes, at) => bytes[at] * 256 + bytes[at + 1];

function readText(bytes, at) {
  const end = at + 2 + readU16(bytes, at);
  return { value: decoder.decode(bytes.subarray(at + 2, end)), end };
}

function readPacket(type, flags, body) {
  switch (type) {
    case "PUBLISH":
      return readPublish(type, flags, body);
    case "SUBSCRIBE":
    case "UNSUBSCRIBE":
      return { type, group: readText(body, 3).value };
    case "CONNACK":
    case "DISCONNECT": {
      const code = body[type === "CONNACK" ? 1 : 0] ?? 0;
      return { type, code, message: code ? reasonInWords(code) : "" };
    }
    case "PUBACK":
    case "SUBACK":
    case "UNSUBACK": {
      const code = (type === "PUBACK" ? body[2] : body.at(-1)) ?? 0;
      return { type, id: readU16(body, 0), code, message: code >= 128 ? reasonInWords(code) : "" };
    }
    default:
      return { type };
  }
}

function readPublish(type, flags, body) {
  const { value: group, end } = readText(body, 0);
  const hasId = (flags & 6) > 0;
  const [length, begin] = readVarint(body, end + (hasId ? 2 : 0));
  const properties = body.subarray(begin, begin + length);
  const payload = body.slice(begin + length);
  // The first of a message's properties; the service sends it first.
  const isText = properties[0] === 1 && properties[1] === 1;
  return {
    type,
    id: hasId ? readU16(body, end) : 0,
    group,
    dataType: isText ? "text" : "binary",
    data: isText ? decoder.decode(payload) : payload.buffer,
  };
}
