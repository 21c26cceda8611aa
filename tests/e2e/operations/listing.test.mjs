// What an operator sees of connections and groups.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { expectError } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";

async function shown(service, path) {
  const { status, headers, body } = await service.manage("GET", path);
  assert.equal(status, 200, body);
  assert.equal(headers["cache-control"], "no-store");
  return JSON.parse(body);
}

/** Everything in a list, page by page. */
async function whole(service, path, kind, query = {}) {
  const all = [];
  let token;
  do {
    const parameters = new URLSearchParams({ ...query, ...(token ? { continuationToken: token } : {}) });
    const page = await shown(service, `${path}?${parameters}`);
    assert.ok(page[kind].length <= Number(query.top ?? 100));
    all.push(...page[kind]);
    token = page.continuationToken;
  } while (token !== null);
  return all;
}

const ids = (connections) => connections.map(({ connectionId }) => connectionId).sort();

forEachShardCount(
  "What an operator sees",
  (service) => {
    test("every connection of a hub is on one page of the list", async () => {
      const hub = service.newHub();
      const path = `hubs/${hub.name}/connections`;
      assert.deepEqual(await shown(service, path), { connections: [], continuationToken: null });
      const clients = await Promise.all(Array.from({ length: 7 }, (_, n) => hub.connect({ user: `user${n % 2}` })));
      const all = clients.map(({ id }) => id).sort();
      assert.deepEqual(ids(await whole(service, path, "connections")), all);
      assert.deepEqual(ids(await whole(service, path, "connections", { top: "2" })), all);
      await clients[0].close();
      assert.deepEqual(
        ids(await whole(service, path, "connections")),
        all.filter((id) => id !== clients[0].id),
      );
    });

    test("a list is of those that match every condition", async () => {
      const hub = service.newHub();
      const path = `hubs/${hub.name}/connections`;
      const alice = await hub.connect({ user: "alice", groups: ["a b", "room"] });
      const bob = await hub.connect({ user: "bob", groups: ["room"] });
      const carol = await hub.connectSimple({ user: "carol" });
      const found = async (query) => ids(await whole(service, path, "connections", query));
      assert.deepEqual(await found({ userId: "alice" }), [alice.id]);
      assert.deepEqual(await found({ group: "room" }), [alice.id, bob.id].sort());
      assert.deepEqual(await found({ group: "a b" }), [alice.id]);
      assert.deepEqual(await found({ group: "room", userId: "bob" }), [bob.id]);
      assert.deepEqual(await found({ group: "a b", userId: "bob" }), []);
      assert.deepEqual(await found({ connectionIdPrefix: bob.id.slice(0, 12) }), [bob.id]);
      assert.deepEqual(await found({ filter: "userId eq 'alice' or userId eq 'bob'" }), [alice.id, bob.id].sort());
      assert.deepEqual(await found({ filter: "not ('room' in groups)", userId: "carol" }).then((all) => all.length), 1);
      await carol.close();
    });

    test("a connection is shown with its groups and permissions", async () => {
      const hub = service.newHub();
      const before = Date.now();
      const client = await hub.connectReliable({
        user: "alice",
        groups: ["b", "a"],
        roles: ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup.a", "webpubsub.sendToGroups.room-*"],
      });
      const path = `hubs/${hub.name}/connections`;
      const [listed] = await whole(service, path, "connections");
      const one = await shown(service, `${path}/${client.id}`);
      const { connectedAt, shard } = listed;
      assert.ok(connectedAt >= before - 1000 && connectedAt <= Date.now() + 1000);
      assert.deepEqual(listed, {
        connectionId: client.id,
        userId: "alice",
        shard,
        subprotocol: "json.reliable.webpubsub.azure.v1",
        connectedAt,
        isAttached: true,
        groups: ["a", "b"],
        groupCount: 2,
        unacknowledged: 0,
        unreadBytes: one.unreadBytes,
      });
      assert.deepEqual(one, {
        ...listed,
        unacknowledgedBytes: 0,
        waitingFrames: 0,
        streams: 0,
        permissions: {
          sendToGroup: { all: false, patterns: ["room-*"], allowed: ["a"], denied: [] },
          joinLeaveGroup: { all: true, patterns: [], allowed: [], denied: [] },
        },
      });
    });

    test("a connection that is not there is answered 404", async () => {
      const hub = service.newHub();
      const client = await hub.connect();
      await client.close();
      for (const id of [client.id, "nothing", "a%2Fb"]) {
        expectError(await service.manage("GET", `hubs/${hub.name}/connections/${id}`), 404, {
          code: "Error.Connection.NotExisted",
          target: "Connection",
        });
      }
    });

    test("groups are listed by name with how many are in them", async () => {
      const hub = service.newHub();
      const path = `hubs/${hub.name}/groups`;
      assert.deepEqual(await shown(service, path), { groups: [], continuationToken: null });
      const strange = 'a "b"\n/é';
      for (const groups of [["room", strange], ["room"], ["room", "other"]])
        await hub.connect({ groups, roles: ALL_ROLES });
      const all = [
        { group: strange, connections: 1 },
        { group: "other", connections: 1 },
        { group: "room", connections: 3 },
      ];
      assert.deepEqual(await whole(service, path, "groups"), all);
      assert.deepEqual(await whole(service, path, "groups", { top: "1" }), all);
      assert.deepEqual(await whole(service, path, "groups", { prefix: "ro" }), all.slice(2));
    });

    test("what is wrong with a list's query is answered 400", async () => {
      const hub = service.newHub();
      for (const [query, target] of [
        ["top=0", "top"],
        ["top=501", "top"],
        ["top=x", "top"],
        ["continuationToken=x", "continuationToken"],
        ["group=.", "group"],
        ["userId=%20", "userId"],
        ["userId=a&userId=b", "userId"],
      ]) {
        const answer = await service.manage("GET", `hubs/${hub.name}/connections?${query}`);
        expectError(answer, 400, { code: "Error.BadRequest", target });
      }
      assert.equal((await service.manage("GET", `hubs/${hub.name}/connections?filter=no`)).status, 400);
      assert.equal((await service.manage("GET", `hubs/${hub.name}/groups?top=0`)).status, 400);
    });

    test("the overview has the sums of each hub's metrics", async () => {
      const hub = service.newHub();
      await hub.connect();
      await hub.connectReliable();
      const { version, time, isHealthy, hubs } = await shown(service, "overview");
      assert.match(version, /^\d+\.\d+\.\d+/);
      assert.ok(Math.abs(time - Date.now()) < 60_000);
      assert.equal(isHealthy, true);
      const { metrics, silentShards } = hubs.find(({ hub: name }) => name === hub.name);
      assert.equal(metrics.webpubsub_connections, 2);
      assert.equal(silentShards, 0);
    });

    test("the keys are shown by how they begin, or whole", async () => {
      const [primary, secondary] = [service.key, service.secondaryKey];
      assert.deepEqual(await shown(service, "keys"), {
        primary: { start: primary.slice(0, 4) },
        secondary: { start: secondary.slice(0, 4) },
      });
      assert.deepEqual(await shown(service, "keys?reveal=1"), {
        primary: { start: primary.slice(0, 4), key: primary },
        secondary: { start: secondary.slice(0, 4), key: secondary },
      });
    });
  },
  {},
);
