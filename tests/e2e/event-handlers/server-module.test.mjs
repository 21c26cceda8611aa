// The package's module for servers against the service: its URLs connect, and its event handler is called.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import express from "express";
import { AT_ONCE, OWN_SHARD } from "../../support/event-handler.mjs";
import { loadOurClient } from "../../support/our-client.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, Refused, Socket } from "../../support/socket.mjs";
import { Queue } from "../../support/waiting.mjs";

const { eventHandler, getClientAccessToken, negotiate, refuse, reply, toNodeHandler } = await loadOurClient("./server");

const EVERYTHING = {
  userEventPattern: "*",
  systemEvents: ["connect", "connected", "disconnected"],
  groupPresenceEvents: { eventNames: ["joined", "left"], groupFilters: ["*"] },
};

/** A server that is gone when the test is. */
async function listen(t, listener) {
  const server = http.createServer(listener);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  // A connection that the service uses again must not be closed at that moment.
  server.keepAliveTimeout = 0;
  t.after(() => (server.close(), server.closeAllConnections()));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}

forEachShardCount(
  "The package's module for servers",
  (service) => {
    const access = (hub) => ({ endpoint: service.endpoint, accessKey: service.key, hub: hub.name });

    /** A hub whose events go to a handler with these options, on Express. */
    async function start(t, options) {
      const hub = service.newHub();
      const app = express();
      app.use(toNodeHandler(eventHandler({ ...access(hub), ...options })));
      const urlTemplate = `${await listen(t, app)}/api/webpubsub/hubs/${hub.name}/{event}`;
      await hub.configure({ eventHandlers: [{ urlTemplate, ...EVERYTHING }] });
      return hub;
    }

    test("a URL that negotiate gives connects with what it says", async (t) => {
      const hub = service.newHub();
      const client = () => ({ userId: "zoë", groups: ["g"], roles: ["webpubsub.sendToGroup"] });
      const origin = await listen(t, toNodeHandler(negotiate({ ...access(hub), client })));
      const { url } = /** @type {{ url: string }} */ (await (await fetch(`${origin}/negotiate`)).json());
      const socket = await Socket.open(url, { protocols: JSON_V1 });
      assert.equal((await socket.json()).userId, "zoë");
      await socket.send({ type: "sendToGroup", group: "g", dataType: "text", data: "hi" });
      assert.equal((await socket.json()).data, "hi");
    });

    test("an event handler is asked, notified, and answers", async (t) => {
      const events = new Queue();
      const record = (name) => (event) => void events.push([name, event]);
      const hub = await start(t, {
        handleConnect(event) {
          event.setState("visits", 1);
          return { userId: `${event.userId}!`, roles: ["webpubsub.joinLeaveGroup"] };
        },
        handleUserEvent: ({ data, dataType, states }) =>
          reply({ data, dataType, states }, { metadata: { seen: "yes" } }),
        onConnected: record("connected"),
        onDisconnected: record("disconnected"),
        onGroupJoined: record("joined"),
        onGroupLeft: record("left"),
      });
      const socket = await hub.connect({ user: "zoë" });
      assert.equal(socket.connected.userId, "zoë!");
      const [connected, { userId, connectionId }] = await events.next("connected");
      assert.deepEqual([connected, userId, connectionId], ["connected", "zoë!", socket.id]);
      await socket.send({ type: "event", event: "order", dataType: "json", data: [1] });
      const answer = await socket.json();
      assert.deepEqual(answer.data, { data: [1], dataType: "json", states: { visits: 1 } });
      assert.deepEqual(answer.metadata, { seen: "yes" });
      await socket.ask({ type: "joinGroup", group: "g", ackId: 1 });
      const [joined, { group }] = await events.next("joined");
      assert.deepEqual([joined, group], ["joined", "g"]);
      await socket.close();
      const last = [(await events.next("left"))[0], (await events.next("disconnected"))[0]];
      assert.ok(last.includes("disconnected"), String(last));
    });

    test("a client is refused with the handler's status and text", async (t) => {
      const hub = await start(t, { handleConnect: () => refuse(403, "not today") });
      await assert.rejects(hub.connect(), (error) => {
        assert.ok(error instanceof Refused);
        assert.deepEqual([error.status, String(error.body)], [403, "not today"]);
        return true;
      });
    });

    test("a handler that knows another key refuses all events", async (t) => {
      const asked = [];
      const accessKeys = ["another key than the service has"];
      const hub = await start(t, {
        endpoint: undefined,
        accessKey: undefined,
        accessKeys,
        handleConnect: () => void asked.push(1),
      });
      await assert.rejects(hub.connect(), Refused);
      assert.deepEqual(asked, []);
    });

    test("a token of the module is good for a client's first groups", async () => {
      const hub = service.newHub();
      const { url } = await getClientAccessToken(access(hub), { groups: ["lobby"] });
      const socket = await Socket.open(url, { protocols: JSON_V1 });
      await socket.json();
      await hub.rest("POST", "/groups/lobby/:send", { body: "hi", headers: { "content-type": "text/plain" } });
      assert.equal((await socket.json()).data, "hi");
    });
  },
  { variables: AT_ONCE, steady: OWN_SHARD },
);
