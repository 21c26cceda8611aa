// Operators watch a hub as things happen.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AT_ONCE, EventHandler } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { request } from "../../support/rest.mjs";
import { present } from "../../support/found.mjs";
import { forEachShardCount, Service } from "../../support/service.mjs";
import { Socket } from "../../support/socket.mjs";
import { watch } from "../../support/trace.mjs";

const without = ({ time, ...record }) => {
  assert.ok(Math.abs(time - Date.now()) < 60_000);
  return record;
};

describe("A trace", () => {
  /** @type {Service} */
  let service;
  before(async () => {
    service = await new Service({ variables: AT_ONCE }).start();
  });
  after(() => service.stop());

  test("what clients and servers do is recorded as it happens", async () => {
    const hub = service.newHub();
    const trace = await watch(service, hub);
    assert.deepEqual(trace.watching, { type: "watching", hub: hub.name, shard: 0, shards: 1 });
    const client = await hub.connect({ user: "alice", roles: ALL_ROLES });
    const who = { connectionId: client.id, userId: "alice" };
    assert.deepEqual(without(await trace.until("connected")), {
      kind: "connected",
      ...who,
      subprotocol: "json.webpubsub.azure.v1",
    });
    client.send({ type: "joinGroup", group: "g", ackId: 1 });
    assert.deepEqual(without(await trace.until("received")), {
      kind: "received",
      ...who,
      type: "joinGroup",
      group: "g",
      event: null,
      bytes: 0,
    });
    await hub.send("/groups/g", "héllo");
    assert.deepEqual(without(await trace.until("delivered")), {
      kind: "delivered",
      group: "g",
      receivers: 1,
      bytes: 6,
    });
    const command = trace.records.find(({ kind }) => kind === "command");
    assert.deepEqual(without(present(command, "the record")), {
      kind: "command",
      operation: "send",
      target: "group",
      name: "g",
    });
    await client.close();
    assert.deepEqual(without(await trace.until("disconnected")), { kind: "disconnected", ...who, reason: "" });
  });

  test("payloads are shown where that is asked for", async () => {
    const hub = service.newHub();
    const trace = await watch(service, hub, "payloads=1");
    await hub.send("", "x".repeat(2000));
    const { data } = await trace.until("delivered");
    assert.deepEqual(data, { dataType: "text", data: "x".repeat(1024), isCut: true });
  });

  test("a filter leaves out what concerns others", async () => {
    const hub = service.newHub();
    const trace = await watch(service, hub, "userId=bob");
    await hub.connect({ user: "alice" });
    await hub.connect({ user: "bob" });
    assert.equal((await trace.until("connected")).userId, "bob");
    assert.deepEqual(
      trace.records.map(({ kind }) => kind),
      ["connected"],
    );
  });

  test("a call of an event handler is recorded", async (t) => {
    const hub = service.newHub();
    await hub.useHandler(await EventHandler.start(t));
    const trace = await watch(service, hub);
    const client = await hub.connect({ user: "alice" });
    client.send({ type: "event", event: "order", dataType: "text", data: "x" });
    const { connectionId, userId, event, attempt, status, error } = await trace.until("called");
    assert.deepEqual(
      { connectionId, userId, event, attempt, error },
      { connectionId: client.id, userId: "alice", event: "order", attempt: 1, error: null },
    );
    assert.ok([200, 204].includes(status));
  });

  test("who watches is no client", async () => {
    const hub = service.newHub();
    const trace = await watch(service, hub);
    trace.socket.send({ type: "joinGroup", group: "g" });
    trace.socket.send({ type: "ping" });
    assert.deepEqual(await trace.socket.json(), { type: "pong" });
    const { body } = await service.manage("GET", `hubs/${hub.name}/connections`);
    assert.deepEqual(JSON.parse(body).connections, []);
    assert.equal(await hub.exists("/groups/g"), false);
    const overview = JSON.parse((await service.manage("GET", "overview")).body);
    const metrics = overview.hubs.find(({ hub: name }) => name === hub.name)?.metrics;
    assert.equal(metrics?.webpubsub_connections ?? 0, 0);
  });

  test("nine do not watch one shard", async () => {
    const hub = service.newHub();
    const watching = await Promise.all(Array.from({ length: 8 }, () => watch(service, hub)));
    await assert.rejects(watch(service, hub), { status: 429 });
    await watching[3].socket.close();
    await watch(service, hub);
  });

  test("a trace that cannot be is refused", async () => {
    const hub = service.newHub();
    await assert.rejects(watch(service, hub, "shard=1"), { status: 404 });
    await assert.rejects(watch(service, hub, "payloads=2"), { status: 400 });
    assert.equal((await service.manage("GET", `hubs/${hub.name}/trace`)).status, 426);
    const path = `/management/hubs/${hub.name}/trace`;
    await assert.rejects(Socket.open(service.endpoint.replace("http", "ws") + path), { status: 401 });
    assert.equal((await request(service.endpoint, "GET", path)).status, 401);
  });

  test("closing the sockets of the service ends a trace", async () => {
    const hub = service.newHub();
    const trace = await watch(service, hub);
    await hub.connect();
    assert.equal((await service.manage("POST", "sockets/:close")).status, 204);
    assert.equal((await trace.socket.closed()).code, 1001);
  });
});

forEachShardCount(
  "A trace of several shards",
  (service) => {
    test("each shard has a trace of its own", async () => {
      const hub = service.newHub();
      const first = await watch(service, hub);
      const all = [first];
      for (let shard = 1; shard < first.watching.shards; shard++) all.push(await watch(service, hub, `shard=${shard}`));
      await hub.send("", "x");
      for (const [shard, trace] of all.entries()) {
        assert.equal(trace.watching.shard, shard);
        assert.equal((await trace.until("delivered")).receivers, 0);
      }
    });
  },
  { shardCounts: [1, 3] },
);
