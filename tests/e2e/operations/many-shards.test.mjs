// A hub with so many shards that what concerns all of them goes from shard to shard.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ALL_ROLES } from "../../support/hub.mjs";
import { runPython } from "../../support/python.mjs";
import { request } from "../../support/rest.mjs";
import { Service } from "../../support/service.mjs";
import { sign } from "../../support/token.mjs";
import { cases } from "../../support/cases.mjs";

const SHARDS = 40;
const newerShard = fileURLToPath(new URL("../../support/newer-shard.py", import.meta.url));
const shardOf = ({ id }) => Buffer.from(id, "base64url").readUInt16BE(1);
const numbers = (count) => Array.from({ length: count }, (_, n) => n);
const bulk = (body) => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** @typedef {[method: string, path: string, options?: import("../../support/hub.mjs").RequestOptions]} Request */

describe("A hub with 40 shards", () => {
  // A client on every shard before the second on any.
  const variables = { SHARD_SOFT_LIMIT: 1 };
  const service = new Service({ shards: SHARDS, variables });
  before(() => service.start());
  after(() => service.stop());

  /** One connection on each shard, in the shards' order; `options(n)` are those of the nth that comes. */
  async function onEachShard(hub, options) {
    const connections = [];
    for (const n of numbers(SHARDS)) connections.push(await hub.connect(options?.(n)));
    connections.sort((one, other) => shardOf(one) - shardOf(other));
    assert.deepEqual(connections.map(shardOf), numbers(SHARDS));
    return connections;
  }

  async function membersOf(hub, group, query) {
    const { status, body } = await hub.rest("GET", `/groups/${group}/connections`, { query });
    assert.equal(status, 200, body);
    return JSON.parse(body);
  }

  const ids = (connections) => connections.map(({ id }) => id).sort();

  test("what goes to all, a group or a user reaches each once", async () => {
    const hub = service.newHub();
    const connections = await onEachShard(hub, (n) => ({
      user: n % 2 ? "odd" : "even",
      groups: n % 3 ? [] : ["third"],
    }));
    const odd = new Set();
    for (const connection of connections) if (connection.connected.userId === "odd") odd.add(connection);
    const third = new Set((await membersOf(hub, "third")).value.map(({ connectionId }) => connectionId));
    assert.deepEqual([odd.size, third.size], [20, 14]);
    for (const [target, isMeant] of cases([
      ["", () => true],
      ["/groups/third", ({ id }) => third.has(id)],
      ["/users/odd", (connection) => odd.has(connection)],
      ["/users/unknown", () => false],
    ])) {
      const data = `to ${target} ${"x".repeat(100_000)}`;
      await hub.send(target, data);
      for (const connection of connections) {
        if (isMeant(connection)) assert.equal((await connection.json()).data, data);
        await connection.expectSilence();
      }
    }
    const [first, ...others] = connections;
    await hub.send("", "but one", { query: { excluded: first.id, filter: "userId ne 'unknown'" } });
    for (const connection of others) assert.equal((await connection.json()).data, "but one");
    await first.expectSilence();
  });

  test("one shard's yes is enough for a check, wherever it is", async () => {
    const hub = service.newHub();
    assert.deepEqual([await hub.exists("/users/user0"), await hub.exists("/groups/group0")], [false, false]);
    const connections = await onEachShard(hub, (n) => ({ user: `user${n}`, groups: [`group${n}`] }));
    for (const n of numbers(SHARDS)) {
      assert.deepEqual(
        [await hub.exists(`/users/user${n}`), await hub.exists(`/groups/group${n}`)],
        [true, true],
        String(n),
      );
      assert.equal((await hub.rest("PUT", `/users/user${n}/groups/room`)).status, 200);
    }
    assert.deepEqual(
      (await membersOf(hub, "room")).value.map(({ connectionId }) => connectionId),
      ids(connections),
    );
    assert.deepEqual([await hub.exists("/users/user40"), await hub.exists("/groups/group40")], [false, false]);
    assert.equal((await hub.rest("PUT", "/users/user40/groups/room")).status, 404);
  });

  test("members are listed in order, all of them or page by page", async () => {
    const hub = service.newHub();
    const connections = await onEachShard(hub, () => ({ user: "alice", groups: ["room"] }));
    const all = ids(connections).map((connectionId) => ({ connectionId, userId: "alice" }));
    assert.deepEqual(await membersOf(hub, "room"), { value: all, nextLink: null });
    const { value, nextLink } = await membersOf(hub, "room", { top: 25, maxpagesize: 17 });
    assert.deepEqual(value, all.slice(0, 17));
    const { pathname, search } = new URL(nextLink);
    const { body } = await request(service.endpoint, "GET", pathname + search, {
      headers: { authorization: `Bearer ${sign({ aud: nextLink }, service.key)}` },
    });
    assert.deepEqual(JSON.parse(body), { value: all.slice(17, 25), nextLink: null });
    assert.equal((await membersOf(hub, "none")).value.length, 0);
  });

  test("connections join, leave and are closed in bulk, each once", async () => {
    const hub = service.newHub();
    const connections = await onEachShard(hub, (n) => ({ user: `user${n % 4}` }));
    assert.equal(
      (await hub.rest("POST", "/:addToGroups", bulk({ groups: ["a", "b"], filter: "userId ne 'user0'" }))).status,
      200,
    );
    assert.deepEqual([(await membersOf(hub, "a")).value.length, (await membersOf(hub, "b")).value.length], [30, 30]);
    assert.equal(
      (await hub.rest("POST", "/:removeFromGroups", bulk({ groups: ["a"], filter: "userId eq 'user1'" }))).status,
      200,
    );
    assert.deepEqual([(await membersOf(hub, "a")).value.length, (await membersOf(hub, "b")).value.length], [20, 30]);
    assert.equal((await hub.rest("DELETE", "/users/user2/groups")).status, 204);
    assert.deepEqual([(await membersOf(hub, "a")).value.length, (await membersOf(hub, "b")).value.length], [10, 20]);

    const [spared, ...closed] = connections;
    assert.equal(
      (await hub.rest("POST", "/:closeConnections", { query: { excluded: spared.id, reason: "over" } })).status,
      204,
    );
    await Promise.all(closed.map((connection) => connection.expectClosedByServer("over")));
    await spared.expectSilence();
    assert.equal(await hub.exists(`/connections/${spared.id}`), true);
  });

  test("clients receive each other's messages", async () => {
    const hub = service.newHub();
    const connections = await onEachShard(hub, () => ({ groups: ["room"], roles: ALL_ROLES }));
    await connections
      .at(-1)
      .ask({ type: "sendToGroup", group: "room", dataType: "text", data: "hello", noEcho: true, ackId: 1 });
    for (const connection of connections.slice(0, -1)) assert.equal((await connection.json()).data, "hello");
  });

  test("answers are the ones that a hub with one shard gives", async () => {
    const small = await new Service({ shards: 1, variables }).start();
    try {
      const json = { "content-type": "application/json" };
      const hubs = [service.newHub(), small.newHub()];
      hubs[1].name = hubs[0].name;
      for (const hub of hubs) await hub.connect({ user: "alice", groups: ["room"] });
      for (const [method, path, options] of /** @type {Request[]} */ ([
        ["POST", "/:send", { headers: { "content-type": "text/plain" }, body: "x" }],
        ["POST", "/:send", { headers: json, body: "{" }],
        ["POST", "/:send", { headers: { "content-type": "image/png" }, body: "x" }],
        ["POST", "/:send", { headers: json, body: ['"in ', 'chunks"'] }],
        ["POST", "/:send", { headers: json, body: "1", query: { filter: "userId eq" } }],
        ["POST", "/:send", { headers: { ...json, "x-webpubsub-metadata-a": "é" }, body: "1" }],
        ["POST", "/:send", { headers: json, body: Buffer.alloc(1_100_000, " ") }],
        ["POST", "/groups/room/:send", { headers: json, body: "1", query: { messageTtlSeconds: 301 } }],
        ["HEAD", "/users/alice"],
        ["HEAD", "/users/bob"],
        ["HEAD", "/groups/none"],
        ["PUT", "/users/bob/groups/room"],
        ["PUT", "/users/alice/groups/room"],
        ["DELETE", "/users/bob/groups"],
        ["POST", "/:addToGroups", { headers: json, body: "[]" }],
        ["POST", "/:removeFromGroups", bulk({ groups: ["room"], filter: "nothing" })],
        ["POST", "/groups/none/:closeConnections"],
        ["GET", "/groups/none/connections"],
        ["GET", "/groups/room/connections", { query: { continuationToken: "x" } }],
        ["GET", "/groups/room/connections", { query: { top: 0 } }],
        ["PATCH", "/groups/room/connections"],
        ["GET", "/groups/room"],
      ])) {
        const answers = hubs.map(async (hub) => {
          const { status, headers, body } = await hub.rest(method, path, options);
          return { status, code: headers["x-ms-error-code"], type: headers["content-type"], body };
        });
        const [large, one] = await Promise.all(answers);
        assert.deepEqual(large, one, `${method} ${path} ${JSON.stringify(options)?.slice(0, 200)}`);
      }
    } finally {
      await small.stop();
    }
  });

  test("a caller cannot say for which shards one is to answer", async () => {
    const hub = service.newHub();
    const connections = await onEachShard(hub);
    const operation = `/api/hubs/${hub.name}/:send?api-version=2024-12-01`;
    for (const path of [
      `/among/40${operation}`,
      `/api/among/40${operation}`,
      `//among/40${operation}`,
      `/client/among/40${operation}`,
    ]) {
      const authorization = `Bearer ${sign({ aud: service.endpoint + path }, service.key)}`;
      const { status } = await request(service.endpoint, "POST", path, {
        headers: { authorization, "content-type": "text/plain" },
        body: "x",
      });
      assert.equal(status, 404, path);
    }
    for (const connection of connections) await connection.expectSilence();
  });

  test("a shard that fails is not passed over, wherever it is", async () => {
    const hub = service.newHub();
    await onEachShard(hub, () => ({ user: "alice" }));
    await service.crash();
    // One that is asked by another.
    assert.equal(await runPython(newerShard, [service.state, `${hub.name}/38`]), 1);
    await service.start();
    for (const [method, path, options] of /** @type {Request[]} */ ([
      ["POST", "/:send", { headers: { "content-type": "text/plain" }, body: "x" }],
      ["POST", "/users/alice/:send", { headers: { "content-type": "text/plain" }, body: "x" }],
      ["POST", "/:addToGroups", bulk({ groups: ["room"] })],
      ["POST", "/:closeConnections"],
      ["PUT", "/users/unknown/groups/room"],
      ["HEAD", "/users/unknown"],
      ["HEAD", "/groups/none"],
      ["GET", "/groups/none/connections"],
    ])) {
      assert.equal((await hub.rest(method, path, options)).status, 500, `${method} ${path}`);
    }
  });
});
