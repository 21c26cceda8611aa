// MQTT packet by packet: what libraries do not send, or do not show.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
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
  RECEIVE_MAXIMUM,
  MAXIMUM_PACKET_SIZE,
  TOPIC_ALIAS,
  SUBSCRIPTION_IDENTIFIER,
} from "../../support/mqtt.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Refused, Socket } from "../../support/socket.mjs";
import { cases } from "../../support/cases.mjs";

forEachShardCount("MQTT packets", suite, { steady: "all sessions are on the first shard" });

function suite(service) {
  const open = (options = {}) => MqttSocket.connect(service.newHub(), { roles: ALL_ROLES, ...options });

  test("the upgrade needs the subprotocol mqtt", async () => {
    const hub = service.newHub();
    for (const protocols of [[], ["foo"], ["json.webpubsub.azure.v1"]]) {
      await assert.rejects(Socket.open(hub.mqttUrl(), { protocols }), (error) => {
        assert.ok(error instanceof Refused);
        assert.equal(error.status, 400);
        return true;
      });
    }
    assert.equal((await Socket.open(hub.mqttUrl(), { protocols: ["foo", "mqtt"] })).protocol, "mqtt");
  });

  for (const version of [4, 5]) {
    test(`packets may be cut anywhere (${version})`, async () => {
      const socket = await MqttSocket.open(service.newHub(), { roles: ALL_ROLES });
      const all = [
        connect({ version }),
        subscribe(version, 1, ["a", 1]),
        publish(version, "a", "hello", { qos: 1, id: 2 }),
        PINGREQ,
      ];
      socket.send(Buffer.alloc(0));
      for (const byte of Buffer.concat(all)) socket.send(Buffer.from([byte]));
      const types = [];
      while (types.length < 5) types.push((await socket.next()).type);
      assert.deepEqual(types.toSorted(), ["CONNACK", "PINGRESP", "PUBACK", "PUBLISH", "SUBACK"]);
    });

    test(`several packets may be in one message (${version})`, async () => {
      const socket = await MqttSocket.open(service.newHub(), { roles: ALL_ROLES });
      socket.send(connect({ version }), subscribe(version, 1, ["a", 1]), publish(version, "a", "hello"), PINGREQ);
      assert.equal((await socket.next()).type, "CONNACK");
      const types = [];
      while (types.length < 3) types.push((await socket.next()).type);
      assert.deepEqual(types.toSorted(), ["PINGRESP", "PUBLISH", "SUBACK"]);
    });
  }

  test("a text message ends the connection", async () => {
    const socket = await open();
    socket.sendText("text");
    await socket.closed();
  });

  test("CONNACK of 3.1.1 is two bytes", async () => {
    const socket = await MqttSocket.open(service.newHub());
    socket.send(connect({ version: 4 }));
    await socket.expect(Buffer.from([0x20, 2, 0, 0]));
  });

  test("CONNACK says what is not there", async () => {
    const { connack } = await open({ id: "", keepAlive: 0, its: [property(SESSION_EXPIRY, u32(1000))] });
    const found = propertiesOf(connack.body.subarray(2));
    assert.equal(found.get(SESSION_EXPIRY), 30);
    assert.equal(found.get(MAXIMUM_PACKET_SIZE), 1_048_576);
    for (const unavailable of [0x25, 0x28, 0x2a]) assert.equal(found.get(unavailable), 0);
    assert.equal(found.get(0x13), 180);
    assert.match(found.get(0x12), /^[0-9A-Za-z]{1,128}$/);
    assert.equal(found.get(TOPIC_ALIAS - 1) ?? 0, 0);
  });

  for (const [what, options, of5, of4] of cases([
    ["an underscore in the client id", { id: "a_b" }, 0x85, 2],
    ["a client id of 129 characters", { id: "a".repeat(129) }, 0x85, 2],
    ["a retained will", { flags: 0x24, will: true }, 0x9a, 0],
    ["a will of 2001 bytes", { flags: 0x04, will: true, payload: "x".repeat(2001) }, 0x95, 5],
    ["a blank will topic", { flags: 0x04, will: true, topic: " " }, 0x90, 5],
  ])) {
    test(`CONNECT is refused for ${what}`, async () => {
      for (const version of [4, 5]) {
        const socket = await MqttSocket.open(service.newHub());
        /** @type {import("../../support/mqtt.mjs").ConnectOptions & { will?: boolean, topic?: string, payload?: string }} */
        const { will, topic = "w", payload = "x", ...its } = options;
        const more = will ? [properties(version), topic, payload] : [];
        socket.send(connect({ version, more, ...its }));
        const { body } = await socket.next();
        assert.equal(body[1], version === 5 ? of5 : of4);
        if (body[1] !== 0) await socket.closed();
      }
    });
  }

  test("CONNECT of 3.1.1 needs an id and a keep-alive", async () => {
    for (const [options, code] of cases([
      [{ id: "" }, 2],
      [{ keepAlive: 0 }, 5],
      [{ keepAlive: 181 }, 5],
    ])) {
      const socket = await MqttSocket.open(service.newHub());
      socket.send(connect({ version: 4, ...options }));
      await socket.expect(Buffer.from([0x20, 2, 0, code]));
      await socket.closed();
    }
  });

  test("other levels of the protocol are refused", async () => {
    for (const [version, expected] of cases([
      [3, 1],
      [6, 0x84],
    ])) {
      const socket = await MqttSocket.open(service.newHub());
      socket.send(connect({ version }));
      const { type, body } = await socket.next();
      assert.equal(type, "CONNACK");
      assert.ok([1, 0x84].includes(body[1]), `${version}: ${body[1]} for ${expected}`);
      await socket.closed();
    }
  });

  test("anything but CONNECT first ends the connection", async () => {
    for (const first of [PINGREQ, publish(4, "a", "b"), connect({ name: "MQTX" })]) {
      const socket = await MqttSocket.open(service.newHub());
      socket.send(first);
      await socket.closed();
    }
  });

  for (const [what, bytes, code] of cases([
    ["a reserved type", Buffer.from([0x00, 0]), 0x81],
    ["reserved flags of SUBSCRIBE", packet("SUBSCRIBE", 0, u16(1), [0], "a", [0]), 0x81],
    ["a length of five bytes", Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]), 0x81],
    ["QoS 3", Buffer.from([0x36, 6, 0, 1, 0x61, 0, 1, 0]), 0x81],
    ["text that is not UTF-8", Buffer.from([0x30, 5, 0, 2, 0xc3, 0x28, 0]), 0x81],
    ["an unknown property", Buffer.from([0x30, 6, 0, 1, 0x61, 2, 0x7f, 0]), 0x81],
    ["a packet id of 0", packet("SUBSCRIBE", 2, u16(0), [0], "a", [0]), 0x82],
    ["SUBSCRIBE without filters", packet("SUBSCRIBE", 2, u16(1), [0]), 0x82],
    ["a packet of servers", packet("PINGRESP", 0), 0x82],
    ["a second CONNECT", connect(), 0x82],
    ["AUTH", packet("AUTH", 0, [0x18, 0]), 0x82],
    ["a topic alias", publish(5, "a", "b", { its: [property(TOPIC_ALIAS, u16(1))] }), 0x94],
    ["a wildcard in a topic", publish(5, "a/#", "b"), 0x90],
    ["a retained message of QoS 0", publish(5, "a", "b", { retain: true }), 0x9a],
    ["a packet of more than 1 MiB", Buffer.from([0x30, 0x81, 0x80, 0x40]), 0x95],
  ])) {
    test(`DISCONNECT says why: ${what}`, async () => {
      const socket = await open();
      socket.send(bytes);
      const { type, body } = await socket.next();
      assert.equal(type, "DISCONNECT");
      assert.equal(body[0].toString(16), code.toString(16));
      await socket.closed();
    });
  }

  test("a malformed packet of 3.1.1 ends the connection", async () => {
    const socket = await open({ version: 4 });
    socket.send(Buffer.from([0x36, 6, 0, 1, 0x61, 0, 1, 0]));
    await socket.closed();
  });

  test("what is wrong with a message does not end it", async () => {
    const socket = await open({ roles: ["webpubsub.sendToGroup.a"] });
    for (const [topic, options, code] of cases([
      ["b", {}, 0x87],
      ["$webpubsub/other", {}, 0x90],
      ["a", { retain: true }, 0x83],
      ["a", { its: [property(1, Buffer.from([1]))], payload: Buffer.from([0xff]) }, 0x99],
      ["a", {}, 0],
    ])) {
      /** @type {import("../../support/mqtt.mjs").PublishOptions & { payload?: string | Buffer }} */
      const { payload = "x", ...more } = options;
      socket.send(publish(5, topic, payload, { qos: 1, id: 7, ...more }));
      const { type, body } = await socket.next();
      assert.deepEqual([type, body[2] ?? 0], ["PUBACK", code], topic);
    }
    socket.send(PINGREQ);
    await socket.expect(PINGRESP);
  });

  test("a QoS 2 message is sent once for its packet id", async () => {
    const hub = service.newHub();
    const witness = await hub.connectSimple({ groups: ["a"] });
    const socket = await MqttSocket.connect(hub, { version: 4, roles: ALL_ROLES });
    const [pubrec, pubcomp] = [Buffer.from([0x50, 2, 0, 5]), Buffer.from([0x70, 2, 0, 5])];
    for (const dup of [false, false, true]) {
      socket.send(publish(4, "a", "once", { qos: 2, id: 5, dup }));
      await socket.expect(pubrec);
    }
    for (let n = 0; n < 2; n++) {
      socket.send(packet("PUBREL", 2, u16(5)));
      await socket.expect(pubcomp);
    }
    socket.send(publish(4, "a", "again", { qos: 2, id: 5 }));
    await socket.expect(pubrec);
    socket.send(packet("PUBREL", 2, u16(5)));
    await socket.expect(pubcomp);
    assert.equal((await witness.next()).toString(), "once");
    assert.equal((await witness.next()).toString(), "again");
  });

  test("PUBREL of an unknown packet id is no error", async () => {
    const socket = await open();
    socket.send(packet("PUBREL", 2, u16(9)));
    const { type, body } = await socket.next();
    assert.deepEqual([type, body[2]], ["PUBCOMP", 0x92]);
    socket.send(PINGREQ);
    await socket.expect(PINGRESP);
  });

  test("unacknowledged messages come again, in order", async () => {
    const hub = service.newHub();
    const options = { roles: ALL_ROLES, clean: false, version: 4, id: "device1" };
    const first = await MqttSocket.connect(hub, options);
    first.send(subscribe(4, 1, ["a", 2]));
    assert.equal((await first.next()).type, "SUBACK");
    const publisher = await MqttSocket.connect(hub, { ...options, id: "device2" });
    publisher.send(publish(4, "a", "one", { qos: 1, id: 1 }), publish(4, "a", "two", { qos: 1, id: 2 }));
    const [one, two] = [await first.next(), await first.next()];
    assert.deepEqual([one.flags, two.flags], [2, 2]);
    first.cut();
    const second = await MqttSocket.connect(hub, options);
    assert.equal(second.connack.body[0], 1, "the session was there");
    const [again, behind] = [await second.next(), await second.next()];
    assert.deepEqual([again.flags, behind.flags], [2 | 8, 2 | 8], "with DUP");
    assert.deepEqual([again.body, behind.body], [one.body, two.body]);
  });

  test("no more is sent than Receive Maximum allows", async () => {
    const hub = service.newHub();
    const its = [property(RECEIVE_MAXIMUM, u16(1))];
    const socket = await MqttSocket.connect(hub, { roles: ALL_ROLES, its });
    socket.send(subscribe(5, 1, ["a", 1]));
    assert.equal((await socket.next()).type, "SUBACK");
    await hub.send("/groups/a", "one");
    await hub.send("/groups/a", "two");
    const first = await socket.next();
    socket.send(PINGREQ);
    await socket.expect(PINGRESP);
    socket.send(packet("PUBACK", 0, first.body.subarray(3, 5)));
    assert.ok((await socket.next()).body.includes("two"));
  });

  test("a subscription's identifier comes with its messages", async () => {
    const socket = await open();
    const id = property(SUBSCRIPTION_IDENTIFIER, Buffer.from([42]));
    socket.send(packet("SUBSCRIBE", 2, u16(1), properties(5, id), "a", [0]));
    assert.equal((await socket.next()).type, "SUBACK");
    socket.send(publish(5, "a", "x"));
    const { body } = await socket.next();
    assert.ok(body.includes(id), body.toString("hex"));
  });

  test("a silent client is closed after its keep-alive", async () => {
    const socket = await open({ keepAlive: 1 });
    const { type, body } = await socket.next();
    assert.deepEqual([type, body[0]], ["DISCONNECT", 0x8d]);
    await socket.closed();
  });

  test("a silent client is closed where its shard sleeps", async () => {
    // Longer than an object stays in memory that has nothing to do.
    const socket = await open({ keepAlive: 12 });
    const { type, body } = await socket.next();
    assert.deepEqual([type, body[0]], ["DISCONNECT", 0x8d]);
    await socket.closed();
  });

  test("PINGREQ keeps a connection open", async () => {
    // It would be closed after half as long again.
    const keepAlive = 3;
    const socket = await open({ keepAlive });
    for (const end = performance.now() + 2 * keepAlive * 1_000; performance.now() < end; ) {
      await pass(500);
      socket.send(PINGREQ);
      await socket.expect(PINGRESP);
    }
  });

  test("UNSUBACK says whether there was a subscription", async () => {
    const socket = await open();
    socket.send(subscribe(5, 1, ["a", 1]));
    assert.equal((await socket.next()).type, "SUBACK");
    socket.send(packet("UNSUBSCRIBE", 2, u16(2), [0], "a", "b"));
    await socket.expect(packet("UNSUBACK", 0, u16(2), [0], [0, 0x11]));
  });

  test("servers list sessions, and grant them permissions", async () => {
    const hub = service.newHub();
    const its = [property(SESSION_EXPIRY, u32(30))];
    const socket = await MqttSocket.connect(hub, { user: "alice", roles: [], its });
    const subscribed = async (id) => {
      socket.send(subscribe(5, id, ["a", 1]));
      return (await socket.next()).body.at(-1);
    };
    assert.equal(await subscribed(1), 0x87);
    const permission = "/permissions/joinLeaveGroup/connections/device1";
    assert.equal((await hub.rest("PUT", permission, { query: { targetName: "a" } })).status, 200);
    assert.equal(await subscribed(2), 1);
    assert.equal((await hub.rest("HEAD", permission, { query: { targetName: "a" } })).status, 200);
    assert.equal((await hub.rest("DELETE", permission, { query: { targetName: "a" } })).status, 204);
    assert.equal(await subscribed(3), 0x87);
    socket.cut();
    const { status, body } = await hub.rest("GET", "/groups/a/connections");
    assert.equal(status, 200);
    const members = JSON.parse(body).value.map(({ connectionId, userId }) => [connectionId, userId]);
    assert.deepEqual(members, [["device1", "alice"]], "a session is there without its socket");
    assert.equal(await hub.exists("/connections/device1"), true);
    assert.equal(await hub.exists("/groups/a"), true);
  });

  test("SUBACK has a code for each filter", async () => {
    const socket = await open({ roles: ["webpubsub.joinLeaveGroup.a"] });
    socket.send(subscribe(5, 1, ["a", 2], ["b", 1], ["a/+", 0], ["$share/x/a", 0], ["$webpubsub/server/messages", 1]));
    await socket.expect(packet("SUBACK", 0, u16(1), [0], [2, 0x87, 0xa2, 0x9e, 1]));
  });
}

/** The properties of a CONNACK by their numbers. */
function propertiesOf(bytes) {
  const found = new Map();
  const end = bytes[0] + 1;
  for (let at = 1; at < end; ) {
    const id = bytes[at++];
    if ([0x11, 0x27].includes(id)) [found.set(id, bytes.readUInt32BE(at)), (at += 4)];
    else if ([0x21, 0x22, 0x13].includes(id)) [found.set(id, bytes.readUInt16BE(at)), (at += 2)];
    else if ([0x24, 0x25, 0x28, 0x29, 0x2a].includes(id)) found.set(id, bytes[at++]);
    else {
      const length = bytes.readUInt16BE(at);
      found.set(id, bytes.subarray(at + 2, at + 2 + length).toString());
      at += 2 + length;
    }
  }
  return found;
}
