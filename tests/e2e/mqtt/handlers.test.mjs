// MQTT clients and event handlers: Microsoft's Express middleware, unmodified, and what the requests to a handler are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";
import express from "express";
import { MqttJs } from "../../support/devices/mqtt-js.mjs";
import { AT_ONCE, startWithHub } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { portOf } from "../../support/port.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Queue } from "../../support/waiting.mjs";
import { cases } from "../../support/cases.mjs";

const SYSTEM = { systemEvents: ["connect", "connected", "disconnected"] };
const EVERYTHING = { userEventPattern: "*", ...SYSTEM };
const library = new MqttJs();

forEachShardCount("MQTT clients and event handlers", suite, {
  variables: AT_ONCE,
  steady: "all sessions are on the first shard",
});

function suite(service) {
  /**
   * @typedef {import("../../support/hub.mjs").ClientOptions} ClientOptions
   * @typedef {import("../../support/devices/options.d.ts").ConnectOptions} ConnectOptions
   * @param {import("../../support/hub.mjs").Hub} hub
   * @param {string} id
   * @param {ClientOptions & ConnectOptions & { mqttUser?: string }} options
   */
  async function connect(hub, id, { version = 5, user, roles = ALL_ROLES, mqttUser, ...more } = {}) {
    const device = library.device();
    const answer = await device.connect(hub.mqttUrl({ user, roles }), { version, id, user: mqttUser, ...more });
    return Object.assign(device, { answer });
  }

  /** A hub whose events go to Microsoft's middleware. */
  async function startExpress(t, options, which = EVERYTHING) {
    const hub = service.newHub();
    const app = express();
    app.use(new WebPubSubEventHandler(hub.name, { path: "/eventhandler", ...options }).getMiddleware());
    const server = app.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.on("listening", resolve));
    server.keepAliveTimeout = 0;
    t.after(() => (server.close(), server.closeAllConnections()));
    await hub.configure({
      eventHandlers: [{ urlTemplate: `http://127.0.0.1:${portOf(server)}/eventhandler`, ...which }],
    });
    return hub;
  }

  for (const version of /** @type {const} */ ([4, 5])) {
    test(`the middleware gets CONNECT and answers it (${version})`, async (t) => {
      const requests = new Queue();
      const hub = await startExpress(t, {
        handleConnect(request, response) {
          requests.push(request);
          response.success({
            userId: "bob",
            groups: ["room"],
            roles: ["webpubsub.joinLeaveGroup.other"],
            mqtt: { userProperties: [{ name: "hello", value: "client" }] },
          });
        },
      });
      const device = await connect(hub, "device1", {
        version,
        user: "alice",
        mqttUser: "u",
        password: "secret",
        properties: [["a", "1"]],
      });
      const { context, mqtt, subprotocols, claims } = await requests.next("handleConnect");
      assert.equal(context.clientProtocol, "mqtt");
      assert.equal(context.connectionId, "device1");
      assert.ok(context.mqtt.physicalConnectionId);
      assert.deepEqual(mqtt, {
        protocolVersion: version,
        cleanStart: true,
        username: "u",
        password: Buffer.from("secret").toString("base64"),
        userProperties: version === 5 ? [{ name: "a", value: "1" }] : null,
      });
      assert.deepEqual(subprotocols, ["mqtt"]);
      assert.deepEqual(claims.sub, ["alice"]);
      if (version === 5) assert.deepEqual(device.answer.user, [["hello", "client"]]);
      assert.equal(await hub.exists("/users/bob"), true);
      assert.equal(await hub.exists("/users/alice"), false);
      await hub.send("/groups/room", "welcome");
      assert.equal((await device.message()).payload.toString(), "welcome");
      assert.equal(await device.subscribe("other", { qos: 1 }), 1);
      assert.equal(await device.subscribe("third", { qos: 1 }), version === 5 ? 0x87 : 0x80);
    });
  }

  test("the middleware lets in whom it has no function for", async (t) => {
    const hub = await startExpress(t, {});
    await connect(hub, "device1");
    assert.equal(await hub.exists("/connections/device1"), true);
  });

  for (const [what, answer, of5, of4] of cases([
    ["a code of 5.0", { mqtt: { code: 138, reason: "banned by server" } }, 138, 3],
    ["a code of 3.1.1", { mqtt: { code: 4, reason: "no" } }, 0x80, 4],
    ["400", { code: 400, detail: "bad" }, 0x86, 4],
    ["401", { code: 401, detail: "no" }, 0x87, 5],
    ["500", { code: 500, detail: "broken" }, 0x80, 3],
  ])) {
    test(`the middleware refuses with ${what}`, async (t) => {
      const hub = await startExpress(t, { handleConnect: (_, response) => response.failWith(answer) });
      for (const version of /** @type {const} */ ([4, 5])) {
        const expected = version === 5 ? of5 : of4;
        await assert.rejects(connect(hub, "device1", { version }), { code: expected });
      }
      assert.equal(await hub.exists("/connections/device1"), false);
    });
  }

  test("the middleware answers events with its state kept", async (t) => {
    const hub = await startExpress(t, {
      handleConnect: (_, response) => (response.setState("n", 1), response.success()),
      handleUserEvent({ data, dataType, context: { eventName, states } }, response) {
        if (data === "fail") return response.fail(400, "no");
        const { n } = states;
        response.setState("n", n + 1);
        response.success(JSON.stringify([eventName, dataType, data, n]), "json");
      },
    });
    const device = await connect(hub, "device1", { roles: [] });
    const publish = (payload, options) =>
      device.publish("$webpubsub/server/events/hello", payload, { qos: 1, ...options });
    await publish('{"a":1}', { contentType: "application/json", correlation: Buffer.from("first") });
    const first = await device.message();
    assert.equal(first.topic, "$webpubsub/server/events/hello/succeeded");
    assert.deepEqual(JSON.parse(first.payload.toString()), ["hello", "json", { a: 1 }, 1]);
    assert.equal(first.correlation.toString(), "first");
    assert.match(first.contentType, /^application\/json/);
    assert.deepEqual(first.user, [["azure-status-code", "200"]]);
    assert.equal(first.qos, 1);
    await publish("text", { contentType: "text/plain" });
    assert.deepEqual(JSON.parse((await device.message()).payload.toString()), ["hello", "text", "text", 2]);
    await publish("fail", { contentType: "text/plain" });
    const failed = await device.message();
    assert.equal(failed.topic, "$webpubsub/server/events/hello/failed");
    assert.equal(failed.payload.toString(), "no");
    assert.deepEqual(failed.user, [["azure-status-code", "400"]]);
  });

  test("an event has its properties as headers, and the answer's", async (t) => {
    const { handler, hub } = await startWithHub(t, service, EVERYTHING);
    handler.answer("user.hello", { headers: { "mqtt-Answer": "yes", "content-type": "text/x" }, body: "re" });
    const device = await connect(hub, "device1");
    const { header: of } = await handler.next("sys.connect").then((asked) => ({ header: asked.header.bind(asked) }));
    assert.equal(of("ce-subprotocol"), "mqtt");
    assert.equal(of("ce-sessionId"), undefined);
    const physical = of("ce-physicalConnectionId");
    assert.equal(of("ce-source"), `/hubs/${hub.name}/client/device1/${physical}`);
    const connected = await handler.next("sys.connected");
    assert.equal(connected.text, "{}");
    const session = connected.header("ce-sessionId");
    assert.ok(session);

    await device.publish("$webpubsub/server/events/hello", "bytes", {
      qos: 1,
      contentType: "text/y",
      user: [["Question", "why"]],
    });
    const asked = await handler.next("user.hello");
    assert.equal(asked.text, "bytes");
    assert.equal(asked.header("content-type"), "text/y");
    assert.equal(asked.header("mqtt-Question"), "why");
    assert.equal(asked.header("ce-type"), "azure.webpubsub.user.hello");
    assert.equal(asked.header("ce-sessionId"), session);
    assert.equal(asked.header("ce-physicalConnectionId"), physical);
    assert.equal(asked.connection, "device1");
    const { payload, contentType, user } = await device.message();
    assert.deepEqual([payload.toString(), contentType], ["re", "text/x"]);
    assert.deepEqual(Object.fromEntries(user.map(([name, value]) => [name.toLowerCase(), value])), {
      answer: "yes",
      "azure-status-code": "200",
    });
  });

  test("only a session's begin and end are events", async (t) => {
    const { handler, hub } = await startWithHub(t, service, SYSTEM);
    const device = await connect(hub, "device1", { clean: false, expiry: 30 });
    const { header } = await handler.next("sys.connected").then((asked) => ({ header: asked.header("ce-sessionId") }));
    await device.cut();
    assert.equal((await device.reconnect()).session, true);
    await device.disconnect();
    const again = await connect(hub, "device1", { clean: true });
    const ended = await handler.next("sys.disconnected");
    assert.equal(ended.header("ce-sessionId"), header);
    const begun = await handler.next("sys.connected");
    assert.notEqual(begun.header("ce-sessionId"), header);
    assert.equal(handler.count("sys.connect"), 3);
    await again.disconnect();
    await handler.next("sys.disconnected");
    assert.deepEqual(handler.count("sys.connected"), 2);
  });

  test("a session's end has the packet that ended it", async (t) => {
    const { handler, hub } = await startWithHub(t, service, SYSTEM);
    await (await connect(hub, "polite")).disconnect(0);
    assert.deepEqual((await handler.next("sys.disconnected")).json.mqtt, {
      initiatedByClient: true,
      disconnectPacket: { code: 0, userProperties: [] },
    });
    await (await connect(hub, "cut")).cut();
    assert.deepEqual((await handler.next("sys.disconnected")).json.mqtt, {
      initiatedByClient: false,
      disconnectPacket: null,
    });
    await connect(hub, "closed");
    await hub.rest("DELETE", "/connections/closed", { query: { reason: "enough" } });
    const closed = (await handler.next("sys.disconnected")).json;
    assert.deepEqual(closed, {
      reason: "Application server closed the connection. Reason: enough",
      mqtt: { initiatedByClient: false, disconnectPacket: { code: 0x98, userProperties: null } },
    });
  });
}
