// Libraries for MQTT, unmodified, as clients of a hub.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { devices, libraries } from "../../support/devices/libraries.mjs";
import { AT_ONCE, startWithHub } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { connectProtobuf, DATA, field, message } from "../../support/protobuf.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { until } from "../../support/waiting.mjs";

const NOT_AUTHORIZED = 0x87;
const UNSPECIFIED = 0x80;
const SESSION_TAKEN_OVER = 0x8e;
const ADMINISTRATIVE_ACTION = 0x98;

forEachShardCount(
  "devices",
  (service) => {
    before(() => Promise.all(libraries.map((library) => library.start())));
    after(() => Promise.all(libraries.map((library) => library.stop())));

    for (const device of devices) describe(device.name, () => suite(service, device));
  },
  { variables: AT_ONCE, steady: "all sessions are on the first shard" },
);

function suite(service, { library, version, sees, code }) {
  /**
   * A device that is connected to a hub, with all roles unless other ones are given.
   * @param {import("../../support/hub.mjs").Hub} hub
   * @param {string} id
   * @param {import("../../support/hub.mjs").ClientOptions & import("../../support/devices/options.d.ts").ConnectOptions} options
   */
  async function connect(hub, id, { roles = ALL_ROLES, groups, user, ...options } = {}) {
    const device = library.device();
    const answer = await device.connect(hub.mqttUrl({ roles, groups, user }), { version, id, ...options });
    return Object.assign(device, { answer });
  }

  /** A device whose session outlives its connection. */
  const connectPersistent = (hub, id, options = {}) =>
    connect(hub, id, { clean: false, ...(version === 5 ? { expiry: 30 } : {}), ...options });

  const payloadOf = async (device) => (await device.message()).payload.toString();

  test("connects with a token, as the connection of its id", async () => {
    const hub = service.newHub();
    const device = await connect(hub, "device1", { user: "alice" });
    if (sees("session")) assert.equal(device.answer.session, false);
    assert.equal(await hub.exists("/connections/device1"), true);
    assert.equal(await hub.exists("/users/alice"), true);
    await device.disconnect();
    await until(async () => !(await hub.exists("/connections/device1")), "the end of the session");
  });

  test("is refused with an id that is not allowed", async () => {
    const hub = service.newHub();
    await assert.rejects(connect(hub, "with_underscore"), ({ code: its }) => its === code(0x85, 2));
  });

  test("is refused with a token for other clients", async () => {
    const hub = service.newHub();
    const url = hub.mqttUrl({ audience: hub.audience });
    await assert.rejects(library.device().connect(url, { version, id: "device1" }));
    assert.equal(await hub.exists("/connections/device1"), false);
  });

  for (const qos of [0, 1, 2]) {
    test(`publishes and receives at QoS ${qos}`, async () => {
      const hub = service.newHub();
      const [subscriber, publisher] = [await connect(hub, "subscriber"), await connect(hub, "publisher")];
      assert.equal(await subscriber.subscribe("a/b", { qos }), qos);
      for (const payload of ["first", "second", ""]) {
        const its = await publisher.publish("a/b", payload, { qos });
        if (sees("ack")) assert.equal(its, 0);
        const got = await subscriber.message();
        assert.deepEqual([got.topic, got.payload.toString(), got.qos], ["a/b", payload, qos]);
      }
    });
  }

  test("receives at the subscription's QoS, nothing after leaving", async () => {
    const hub = service.newHub();
    const device = await connect(hub, "device1");
    assert.equal(await device.subscribe("low", { qos: 0 }), 0);
    assert.equal(await device.subscribe("high", { qos: 2 }), 2);
    await device.publish("low", "down", { qos: 2 });
    assert.equal((await device.message()).qos, 0);
    const left = await device.unsubscribe("low");
    if (sees("unsubscribe")) assert.equal(left, 0);
    await device.publish("low", "gone", { qos: 1 });
    await device.publish("high", "here", { qos: 1 });
    assert.equal(await payloadOf(device), "here");
  });

  test("may do only what its roles allow", async () => {
    const hub = service.newHub();
    const witness = await hub.connect({ groups: ["closed", "open"], roles: ALL_ROLES });
    const device = await connect(hub, "device1", {
      roles: ["webpubsub.sendToGroup.open", "webpubsub.joinLeaveGroup.open"],
    });
    const refused = device.subscribe("closed", { qos: 1 });
    assert.equal(await refused, code(NOT_AUTHORIZED, UNSPECIFIED));
    const its = await device.publish("closed", "never", { qos: 1 });
    if (sees("ack")) assert.equal(its, code(NOT_AUTHORIZED, 0));
    await device.publish("closed", "never", { qos: 0 });
    assert.equal(await device.subscribe("open", { qos: 1 }), 1);
    await device.publish("open", "seen", { qos: 1 });
    assert.equal(await payloadOf(device), "seen");
    const { group, data } = await witness.json();
    assert.deepEqual([group, Buffer.from(data, "base64").toString()], ["open", "seen"]);
  });

  for (const [what, filter, of5] of /** @type {[string, string, number][]} */ ([
    ["a wildcard", "a/#", 0xa2],
    ["a wildcard of one level", "a/+", 0xa2],
    ["a shared subscription", "$share/s/a", 0x9e],
  ])) {
    test(`is refused ${what}, and stays connected`, async () => {
      const hub = service.newHub();
      const device = await connect(hub, "device1");
      const its = device.subscribe(filter, { qos: 1 });
      assert.equal(await its, code(of5, UNSPECIFIED));
      assert.equal(await device.subscribe("a", { qos: 1 }), 1);
      await device.publish("a", "still here", { qos: 1 });
      assert.equal(await payloadOf(device), "still here");
    });
  }

  test("leaves a will behind when its connection is cut", async () => {
    const hub = service.newHub();
    const witness = await connect(hub, "witness");
    await witness.subscribe("wills", { qos: 1 });
    const will = { topic: "wills", payload: "gone", qos: 1 };
    await (await connect(hub, "polite", { will })).disconnect();
    await (await connect(hub, "cut", { will: { ...will, payload: "cut" } })).cut();
    assert.equal(await payloadOf(witness), "cut");
  });

  test("displaces an older connection with its id", async () => {
    const hub = service.newHub();
    const first = await connectPersistent(hub, "device1");
    assert.equal(await first.subscribe("a", { qos: 1 }), 1);
    const second = await connectPersistent(hub, "device1");
    const { code: its } = await first.left();
    if (sees("disconnect")) assert.equal(its, SESSION_TAKEN_OVER);
    if (sees("session")) assert.equal(second.answer.session, true);
    await second.publish("a", "mine", { qos: 1 });
    assert.equal(await payloadOf(second), "mine");
  });

  test("resumes its session with what it missed", async () => {
    const hub = service.newHub();
    const publisher = await connect(hub, "publisher");
    const device = await connectPersistent(hub, "device1");
    assert.equal(await device.subscribe("once", { qos: 2 }), 2);
    assert.equal(await device.subscribe("twice", { qos: 1 }), 1);
    await device.cut();
    assert.equal(await hub.exists("/connections/device1"), true);
    for (const n of [1, 2, 3]) {
      await publisher.publish("once", `once ${n}`, { qos: 2 });
      await publisher.publish("twice", `twice ${n}`, { qos: 1 });
    }
    await hub.send("/groups/twice", "of a server");
    const { session } = await device.reconnect();
    if (sees("session")) assert.equal(session, true);
    const missed = ["twice 1", "twice 2", "twice 3", "of a server", "once 1", "once 2", "once 3"];
    const got = [];
    while (missed.some((payload) => !got.includes(payload))) got.push(await payloadOf(device));
    await publisher.publish("once", "last", { qos: 2 });
    while (got.at(-1) !== "last") got.push(await payloadOf(device));
    const of = (topic) => got.filter((payload) => missed.includes(payload) && payload.startsWith("once") === topic);
    assert.deepEqual(of(true), missed.slice(4), "QoS 2: once, in order");
    assert.deepEqual([...new Set(of(false))], missed.slice(0, 4), "QoS 1: at least once, in order");
  });

  test("is closed over REST, and its session ends", async () => {
    const hub = service.newHub();
    const device = await connectPersistent(hub, "device1");
    const { status } = await hub.rest("DELETE", "/connections/device1", { query: { reason: "enough" } });
    assert.equal(status, 204);
    const { code: its } = await device.left();
    if (sees("disconnect")) assert.equal(its, ADMINISTRATIVE_ACTION);
    assert.equal(await hub.exists("/connections/device1"), false);
    const again = await connectPersistent(hub, "device1");
    if (sees("session")) assert.equal(again.answer.session, false);
  });

  test("receives what servers send to all, users and connections", async () => {
    const hub = service.newHub();
    const device = await connect(hub, "device1", { user: "alice" });
    for (const [target, data] of [
      ["", "to all"],
      ["/users/alice", "to alice"],
      ["/connections/device1", "to device1"],
    ]) {
      await hub.send(target, data);
      const { topic, payload } = await device.message();
      assert.deepEqual([topic, payload.toString()], ["$webpubsub/server/messages", data]);
    }
  });

  test("is added to and removed from groups by servers", async () => {
    const hub = service.newHub();
    const device = await connect(hub, "device1", { groups: ["of the token"], user: "alice" });
    await hub.send("/groups/of%20the%20token", "first");
    assert.equal(await payloadOf(device), "first");
    assert.equal((await hub.rest("PUT", "/groups/room/connections/device1")).status, 200);
    await hub.send("/groups/room", "second");
    assert.equal(await payloadOf(device), "second");
    assert.equal((await hub.rest("DELETE", "/groups/room/connections/device1")).status, 204);
    assert.equal((await hub.rest("PUT", "/users/alice/groups/other")).status, 200);
    await hub.send("/groups/room", "never");
    await hub.send("/groups/other", "third");
    assert.equal(await payloadOf(device), "third");
  });

  test("shares a group with JSON, protobuf and simple clients", async () => {
    const hub = service.newHub();
    const json = await hub.connect({ groups: ["room"], roles: ALL_ROLES });
    const protobuf = await connectProtobuf(hub, { groups: ["room"], roles: ALL_ROLES });
    const simple = await hub.connectSimple({ groups: ["room"] });
    const device = await connect(hub, "device1");
    await device.subscribe("room", { qos: 1, ...(version === 5 && sees("properties") ? { noLocal: true } : {}) });
    const isOwn = !(version === 5 && sees("properties"));

    await device.publish("room", "from a device", { qos: 1 });
    if (isOwn) assert.equal(await payloadOf(device), "from a device");
    const got = await json.json();
    assert.deepEqual([got.from, got.group, got.dataType], ["group", "room", "binary"]);
    assert.equal(Buffer.from(got.data, "base64").toString(), "from a device");
    assert.ok((await protobuf.next()).includes("from a device"));
    assert.equal((await simple.next()).toString(), "from a device");

    json.send({ type: "sendToGroup", group: "room", dataType: "json", data: { a: 1 }, noEcho: true, ackId: 1 });
    assert.equal(await payloadOf(device), '{"a":1}');
    protobuf.send(field(1, message(field(1, "room"), field(3, field(DATA.text, "of protobuf")))));
    assert.equal(await payloadOf(device), "of protobuf");
  });

  if (sees("properties")) {
    test("shows its payload's type and its user properties to others", async () => {
      const hub = service.newHub();
      const json = await hub.connect({ groups: ["room"], roles: ALL_ROLES });
      const device = await connect(hub, "device1");
      await device.subscribe("room", { qos: 1, noLocal: true });
      for (const [payload, options, dataType, data] of /** @type {[string, object, string, unknown][]} */ ([
        ['{"a":1}', { contentType: "application/json" }, "json", { a: 1 }],
        ["ü", { utf8: true }, "text", "ü"],
        ["ü", { contentType: "text/plain" }, "binary", Buffer.from("ü").toString("base64")],
      ])) {
        await device.publish("room", payload, { qos: 1, user: [["k", "v"]], ...options });
        const got = await json.json();
        assert.deepEqual([got.dataType, got.data, got.metadata], [dataType, data, { k: "v" }]);
      }
      await hub.send("/groups/room", '{"b":2}', { type: "application/json" });
      const ofJson = await device.message();
      assert.deepEqual(
        [ofJson.payload.toString(), ofJson.contentType, ofJson.utf8],
        ['{"b":2}', "application/json", true],
      );
      json.send({
        type: "sendToGroup",
        group: "room",
        dataType: "text",
        data: "x",
        metadata: { m: "1" },
        noEcho: true,
      });
      const ofText = await device.message();
      assert.deepEqual([ofText.payload.toString(), ofText.utf8, ofText.user], ["x", true, [["m", "1"]]]);
      await hub.send("/groups/room", "bytes", { type: "application/octet-stream" });
      const ofBytes = await device.message();
      assert.ok(!ofBytes.utf8 && !ofBytes.contentType);
    });
  }

  test("has its events answered by a handler", async (t) => {
    const { handler, hub } = await startWithHub(t, service);
    const answer = ({ text }) => ({ status: text === "bad" ? 400 : 200, body: `re: ${text}` });
    handler.answer("user.hello", answer);
    const device = await connect(hub, "device1", { roles: [] });
    for (const [payload, outcome] of [
      ["good", "succeeded"],
      ["bad", "failed"],
    ]) {
      await device.publish("$webpubsub/server/events/hello", payload, { qos: 1 });
      const { topic, ...got } = await device.message();
      assert.equal(topic, `$webpubsub/server/events/hello/${outcome}`);
      assert.equal(got.payload.toString(), `re: ${payload}`);
    }
  });
}
