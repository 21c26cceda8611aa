// Just enough of MQTT's packets for what no library would send, and a connection that reads them.
import assert from "node:assert/strict";
import { Socket } from "./socket.mjs";

/** @import { ClientOptions, Hub } from "./hub.mjs" */

/**
 * A packet as it was read: its type, its flags and what is behind its length.
 * @typedef {{ type: string, flags: number, body: Buffer }} Packet
 */

const TYPES = [
  "reserved",
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
  "AUTH",
];

/** @param {number} number */
export const u16 = (number) => Buffer.from([number >> 8, number & 255]);
/** @param {number} number */
export const u32 = (number) => Buffer.concat([u16(number >>> 16), u16(number & 0xffff)]);
/** @param {string} value */
export const text = (value) => Buffer.concat([u16(Buffer.byteLength(value)), Buffer.from(value)]);

/** @param {number} number */
export function varint(number) {
  const bytes = [];
  do {
    bytes.push((number & 127) | (number > 127 ? 128 : 0));
    number >>= 7;
  } while (number > 0);
  return Buffer.from(bytes);
}

/**
 * A packet of this type and these flags, whole.
 * @param {string} type
 * @param {number} flags
 * @param {...(string | Buffer | number[])} parts
 */
export function packet(type, flags, ...parts) {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? text(part) : Buffer.from(part))));
  return Buffer.concat([Buffer.from([(TYPES.indexOf(type) << 4) | flags]), varint(body.length), body]);
}

export const PINGREQ = packet("PINGREQ", 0);
export const PINGRESP = packet("PINGRESP", 0);

/** The numbers of properties. */
export const SUBSCRIPTION_IDENTIFIER = 0x0b;
export const SESSION_EXPIRY = 0x11;
export const WILL_DELAY = 0x18;
export const RECEIVE_MAXIMUM = 0x21;
export const TOPIC_ALIAS = 0x23;
export const MAXIMUM_PACKET_SIZE = 0x27;

/**
 * The properties of a packet of 5.0, and nothing for 3.1.1.
 * @param {number} version
 * @param {...(Buffer | number[])} parts
 */
export const properties = (version, ...parts) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return version === 5 ? Buffer.concat([varint(body.length), body]) : Buffer.alloc(0);
};

/**
 * One property: its number and its value.
 * @param {number} number
 * @param {Buffer} value
 */
export const property = (number, value) => Buffer.concat([Buffer.from([number]), value]);

/**
 * A CONNECT; `flags` besides Clean Start, `more` behind the client id.
 * @typedef {{
 *   version?: number, id?: string, clean?: boolean, keepAlive?: number, its?: Buffer[], flags?: number,
 *   more?: (string | Buffer)[], name?: string,
 * }} ConnectOptions
 * @param {ConnectOptions} options
 */
export const connect = ({
  version = 5,
  id = "device1",
  clean = true,
  keepAlive = 60,
  its = [],
  flags = 0,
  more = [],
  name = "MQTT",
} = {}) =>
  packet(
    "CONNECT",
    0,
    name,
    [version, flags | (clean ? 2 : 0)],
    u16(keepAlive),
    properties(version, ...its),
    id,
    ...more,
  );

/**
 * A SUBSCRIBE; each topic filter has its options.
 * @param {number} version
 * @param {number} id
 * @param {...[filter: string, options: number]} filters
 */
export const subscribe = (version, id, ...filters) =>
  packet(
    "SUBSCRIBE",
    2,
    u16(id),
    properties(version),
    ...filters.flatMap(([filter, options]) => [filter, Buffer.from([options])]),
  );

/**
 * A PUBLISH.
 * @typedef {{ qos?: number, id?: number, dup?: boolean, retain?: boolean, its?: Buffer[] }} PublishOptions
 * @param {number} version
 * @param {string} topic
 * @param {string | Buffer} payload
 * @param {PublishOptions} options
 */
export const publish = (version, topic, payload, { qos = 0, id = 1, dup = false, retain = false, its = [] } = {}) =>
  packet(
    "PUBLISH",
    (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0),
    topic,
    qos > 0 ? u16(id) : [],
    properties(version, ...its),
    Buffer.from(payload),
  );

/** A WebSocket with MQTT in it, read packet by packet. */
export class MqttSocket {
  #socket;
  #rest = Buffer.alloc(0);

  /** @param {Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /**
   * The upgrade alone.
   * @param {Pick<Hub, "mqttUrl">} hub
   * @param {ClientOptions} options
   */
  static async open(hub, options = {}) {
    const socket = await Socket.open(hub.mqttUrl(options), { protocols: "mqtt" });
    assert.equal(socket.protocol, "mqtt");
    return new MqttSocket(socket);
  }

  /**
   * A connection whose CONNECT was accepted; `connack` is what came.
   * @param {Hub} hub
   * @param {ClientOptions & ConnectOptions} options
   */
  static async connect(hub, { roles, groups, user, ...options } = {}) {
    const socket = await MqttSocket.open(hub, { roles, groups, user });
    socket.send(connect(options));
    const connack = await socket.next();
    assert.equal(connack.type, "CONNACK");
    assert.equal(connack.body[1], 0, `refused with ${connack.body[1]}`);
    return Object.assign(socket, { connack });
  }

  /** @param {...Buffer} packets */
  send(...packets) {
    this.#socket.send(Buffer.concat(packets));
  }

  /** @param {string} message */
  sendText(message) {
    this.#socket.send(message);
  }

  /** The next packet. */
  async next() {
    for (;;) {
      const packet = this.#take();
      if (packet) return packet;
      const frame = await this.#socket.next("a packet");
      assert.ok(Buffer.isBuffer(frame), "a binary message");
      this.#rest = Buffer.concat([this.#rest, frame]);
    }
  }

  /** @returns {Packet | undefined} */
  #take() {
    let [length, scale, at] = [0, 1, 1];
    for (; at < this.#rest.length; scale *= 128) {
      const byte = this.#rest[at++];
      length += (byte & 127) * scale;
      if (byte < 128) {
        if (this.#rest.length < at + length) return undefined;
        const [first] = this.#rest;
        const body = this.#rest.subarray(at, at + length);
        this.#rest = this.#rest.subarray(at + length);
        return { type: TYPES[first >> 4], flags: first & 15, body };
      }
    }
    return undefined;
  }

  /**
   * Fails unless the next packet is this one, byte by byte.
   * @param {Buffer} expected
   */
  async expect(expected) {
    const { type, flags, body } = await this.next();
    assert.equal(packet(type, flags, body).toString("hex"), expected.toString("hex"));
  }

  closed() {
    return this.#socket.closed();
  }

  cut() {
    this.#socket.cut();
  }
}
