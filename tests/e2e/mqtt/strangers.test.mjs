// MQTT clients that do what no library would: packets out of their order, ids and sizes at their limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import {
  connect,
  MqttSocket,
  packet,
  properties,
  property,
  publish,
  subscribe,
  u16,
  u32,
  PINGREQ,
  PINGRESP,
  SESSION_EXPIRY,
  WILL_DELAY,
  RECEIVE_MAXIMUM,
  MAXIMUM_PACKET_SIZE,
} from "../../support/mqtt.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { cases } from "../../support/cases.mjs";

const NONE = Buffer.alloc(0);
const ID = u16(7);

const VERSIONS = /** @type {const} */ ([4, 5]);
const expiry = (seconds) => property(SESSION_EXPIRY, u32(seconds));

/** Every packet but CONNECT as its version has it, and what follows it in 5.0: a code of DISCONNECT, or an answer. */
const PACKETS = cases([
  ["CONNACK", 0, Buffer.from([0, 0]), 0x82],
  ["PUBLISH", 0, Buffer.from([0, 1, 0x61, 0]), undefined],
  ["PUBACK", 0, ID, undefined],
  ["PUBREC", 0, ID, "PUBREL"],
  ["PUBREL", 2, ID, "PUBCOMP"],
  ["PUBCOMP", 0, ID, undefined],
  ["SUBACK", 0, Buffer.from([0, 7, 0, 0]), 0x82],
  ["UNSUBACK", 0, Buffer.from([0, 7, 0, 0]), 0x82],
  ["PINGREQ", 0, NONE, "PINGRESP"],
  ["PINGRESP", 0, NONE, 0x82],
  ["AUTH", 0, Buffer.from([0x18, 0]), 0x82],
  ["reserved", 0, NONE, 0x81],
]);

forEachShardCount("Strange MQTT clients", suite, { steady: "all sessions are on the first shard" });

function suite(service) {
  /** A socket of a client of its own. */
  const open = (hub, options = {}) => MqttSocket.connect(hub, { roles: ALL_ROLES, ...options });

  test("each packet before CONNECT ends the connection", async () => {
    const hub = service.newHub();
    for (const [type, flags, body] of [...PACKETS, ["SUBSCRIBE", 2, Buffer.from([0, 7, 0, 0, 1, 0x61, 0])]]) {
      const socket = await MqttSocket.open(hub, { roles: ALL_ROLES });
      socket.send(packet(String(type), Number(flags), /** @type {Buffer} */ (body)));
      const { code } = await socket.closed();
      assert.equal(code, 1007, String(type));
    }
  });

  for (const [type, flags, body, then] of PACKETS) {
    test(`${type} of a client is answered, or ends the connection`, async () => {
      const hub = service.newHub();
      const five = await open(hub);
      five.send(packet(type, flags, body));
      if (typeof then === "number") {
        const end = await five.next();
        assert.deepEqual([end.type, end.body[0]], ["DISCONNECT", then]);
        await five.closed();
      } else {
        if (then) assert.equal((await five.next()).type, then);
        five.send(PINGREQ);
        await five.expect(PINGRESP);
      }
      const four = await open(hub, { version: 4, id: "device2" });
      four.send(packet(type, flags, body));
      if (typeof then === "number") {
        await four.closed();
      } else {
        if (then) assert.equal((await four.next()).type, then);
        four.send(PINGREQ);
        await four.expect(PINGRESP);
      }
    });
  }

  for (const version of VERSIONS) {
    test(`thousands of packets may be in one message (${version})`, async () => {
      const hub = service.newHub();
      const member = await hub.connectSimple({ groups: ["a"] });
      const socket = await open(hub, { version });
      const messages = Array.from({ length: 2000 }, (_, n) =>
        publish(version, "a", `${n}`, { qos: 1, id: 65_535 - n }),
      );
      socket.send(...messages, PINGREQ);
      for (let n = 0; n < 2000; n++) {
        const { type, body } = await socket.next();
        assert.deepEqual([type, body.readUInt16BE(0)], ["PUBACK", 65_535 - n]);
        assert.equal((await member.next()).toString(), `${n}`);
      }
      await socket.expect(PINGRESP);
    });

    test(`a takeover resumes only a session with time (${version})`, async () => {
      const hub = service.newHub();
      const first = await open(hub, { version, clean: true });
      first.send(subscribe(version, 1, ["a", 1]));
      assert.equal((await first.next()).type, "SUBACK");
      const second = await open(hub, { version, clean: false, its: version === 5 ? [expiry(0xffff_ffff)] : [] });
      assert.equal(second.connack.body[0], 0, "the first session ended with its socket");
      await first.closed();
      second.send(publish(version, "a", "x", { qos: 1, id: 1 }));
      assert.equal((await second.next()).type, "PUBACK", "and its subscription with it");
      const third = await open(hub, { version, clean: false });
      assert.equal(third.connack.body[0], 1);
      await second.closed();
    });
  }

  test("a will with a delay does not come at a takeover", async () => {
    const hub = service.newHub();
    const witness = await hub.connectSimple({ groups: ["wills"] });
    const will = [properties(5, property(WILL_DELAY, u32(20))), "wills", "early"];
    const options = { clean: false, its: [expiry(30)], flags: 4, more: will };
    await open(hub, options);
    const second = await open(hub, options);
    assert.equal(second.connack.body[0], 1);
    const third = await open(hub, { clean: true, flags: 4, more: [properties(5), "wills", "of the third"] });
    assert.equal(third.connack.body[0], 0);
    assert.equal((await witness.next()).toString(), "early", "the session has ended");
    third.cut();
    assert.equal((await witness.next()).toString(), "of the third");
  });

  test("at Receive Maximum 1 all arrives, one after the other", async () => {
    const hub = service.newHub();
    const socket = await open(hub, { its: [property(RECEIVE_MAXIMUM, u16(1))] });
    socket.send(subscribe(5, 1, ["a", 2]));
    assert.equal((await socket.next()).type, "SUBACK");
    const publisher = await open(hub, { id: "device2", version: 4 });
    for (let n = 0; n < 20; n++) publisher.send(publish(4, "a", `${n}`, { qos: 1 + (n % 2), id: n + 1 }));
    for (let n = 0; n < 20; n++) {
      const { type, flags, body } = await socket.next();
      assert.equal(type, "PUBLISH");
      assert.equal(flags >> 1, 1 + (n % 2));
      const id = body.subarray(3, 5);
      assert.ok(body.subarray(5).toString().endsWith(`${n}`), `${n}: ${body.toString("hex")}`);
      if (n % 2 === 0) {
        socket.send(packet("PUBACK", 0, id));
      } else {
        socket.send(packet("PUBREC", 0, id));
        await socket.expect(packet("PUBREL", 2, id));
        socket.send(packet("PUBCOMP", 0, id));
      }
    }
  });

  test("a client that takes 64 bytes is sent no more", async () => {
    const hub = service.newHub();
    const most = (bytes) => [property(MAXIMUM_PACKET_SIZE, u32(bytes)), expiry(1000)];
    const refused = await MqttSocket.open(hub, { roles: ALL_ROLES });
    refused.send(connect({ id: "a_b", its: most(64) }));
    await refused.expect(packet("CONNACK", 0, Buffer.from([0, 0x85, 0])));
    const tiny = await MqttSocket.open(hub, { roles: ALL_ROLES });
    tiny.send(connect({ its: most(63) }));
    assert.equal((await tiny.next()).body[1], 0x83);
    const socket = await open(hub, { id: "", keepAlive: 0, its: most(64) });
    assert.ok(socket.connack.body.length <= 62);
    socket.send(packet("PINGRESP", 0));
    const { type, body } = await socket.next();
    assert.deepEqual([type, body[0]], ["DISCONNECT", 0x82]);
    assert.ok(body.length <= 62);
  });

  test("a refused client of 3.1.1 is closed with the reason", async () => {
    for (const [options, code, text] of cases([
      [{ id: "a_b" }, 2, /1 to 128 characters/],
      [{ keepAlive: 0 }, 5, /1 to 180 seconds/],
    ])) {
      const socket = await MqttSocket.open(service.newHub());
      socket.send(connect({ version: 4, ...options }));
      await socket.expect(Buffer.from([0x20, 2, 0, code]));
      const { code: close, reason } = await socket.closed();
      assert.equal(close, 1000);
      assert.match(reason, text);
    }
  });

  test("a client id is not that of another connection", async () => {
    const hub = service.newHub();
    const other = await hub.connect();
    const socket = await MqttSocket.open(hub);
    socket.send(connect({ id: other.id }));
    const { type, body } = await socket.next();
    assert.deepEqual([type, body[1]], ["CONNACK", 0x85]);
    await socket.closed();
    await other.expectSilence();
  });

  test("of the topics of the service only its own are there", async () => {
    const socket = await open(service.newHub());
    const system = "$webpubsub/";
    for (const [topic, subscribed, published] of cases([
      [system, 0x8f, 0x90],
      [`${system}server`, 0x8f, 0x90],
      [`${system}server/messages`, 1, 0x90],
      [`${system}server/messages/`, 0x8f, 0x90],
      [`${system}server/events`, 0x8f, 0x90],
      [`${system}server/events/`, 0x8f, 0x90],
      [`${system}server/events//succeeded`, 0x8f, 0x90],
      [`${system}server/events/a/b/failed`, 0x8f, 0x90],
      [`${system}server/events/a/succeeded`, 1, 0x90],
      [`${system}server/events/a b/failed`, 0x8f, 0x90],
      ["$webpubsub", 1, 0],
      ["$Webpubsub/server/messages", 1, 0],
      ["$SYS/broker", 1, 0],
    ])) {
      socket.send(subscribe(5, 1, [topic, 1]));
      const { type, body } = await socket.next();
      assert.deepEqual([type, body.at(-1)], ["SUBACK", subscribed], topic);
      socket.send(packet("UNSUBSCRIBE", 2, u16(2), [0], topic));
      assert.equal((await socket.next()).body.at(-1), subscribed === 1 ? 0 : 0x11, topic);
      socket.send(publish(5, topic, "x", { qos: 1, id: 3 }));
      const ack = await socket.next();
      assert.deepEqual([ack.type, ack.body[2] ?? 0], ["PUBACK", published], topic);
    }
  });
}
