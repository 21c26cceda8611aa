// The object that holds idle connections is put out of memory after ten seconds; its connections stay.
// The one test that waits for time to pass: there is no other way to be idle.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as idle } from "node:timers/promises";
import { ALL_ROLES } from "../../support/hub.mjs";
import { upgrade } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Socket } from "../../support/socket.mjs";
import { watch } from "../../support/trace.mjs";

const IDLE_MS = 25_000;

/** When a connection began, as an operator sees it. */
async function connectedAt(service, hub, { id }) {
  const { status, body } = await service.manage("GET", `hubs/${hub.name}/connections/${id}`);
  assert.equal(status, 200, body);
  const { connectedAt } = JSON.parse(body);
  assert.ok(Math.abs(connectedAt - Date.now()) < 120_000);
  return connectedAt;
}

forEachShardCount(
  "Hibernation",
  (service) => {
    test("idle for 25 s, connections keep all and outlive their tokens", async () => {
      const hub = service.newHub();
      const plain = await hub.connect({ user: "alice", roles: ALL_ROLES, groups: ["assigned"] });
      const reliable = await hub.connectReliable({ user: "alice", roles: ALL_ROLES, groups: ["assigned"] });
      const simple = await hub.connectSimple({ user: "alice", groups: ["assigned"] });
      const limited = await hub.connect({ roles: ["webpubsub.sendToGroups.as*"] });
      // Of the five minutes by which clocks may differ, ten seconds are left.
      const url = hub.clientUrl({ minutes: -5 + 10 / 60 });
      const expiring = await Socket.open(url);
      for (const socket of [plain, reliable]) {
        assert.equal((await socket.ask({ type: "joinGroup", group: "joined", ackId: 5 })).success, true);
      }
      await hub.send("", "before");
      for (const socket of [plain, reliable, limited]) assert.equal((await socket.json()).data, "before");
      for (const socket of [simple, expiring]) assert.equal(await socket.next(), "before");
      reliable.send({ type: "sequenceAck", sequenceId: 1 });
      await reliable.expectSilence();
      const since = await connectedAt(service, hub, plain);
      const trace = await watch(service, hub, "group=assigned");

      await idle(IDLE_MS);

      const { pathname, search } = new URL(url);
      assert.equal((await upgrade(service.endpoint, pathname + search)).status, 401);
      await hub.send("", "to all");
      for (const socket of [plain, reliable, limited]) assert.equal((await socket.json()).data, "to all");
      for (const socket of [simple, expiring]) assert.equal(await socket.next(), "to all");
      await hub.send("/groups/assigned", "to the assigned");
      const { group, receivers } = await trace.until("delivered");
      assert.equal(group, "assigned");
      if (service.shards === 1) assert.equal(receivers, 3);
      assert.equal(await connectedAt(service, hub, plain), since);
      await hub.send("/groups/joined", "to the joined");
      await hub.send("/users/alice", "to alice");
      await hub.send(`/connections/${reliable.id}`, "to one");
      const next = async (socket) => {
        const { data, sequenceId } = await socket.json();
        return [data, sequenceId];
      };
      for (const data of ["to the assigned", "to the joined", "to alice"])
        assert.deepEqual(await next(plain), [data, undefined]);
      for (const [n, data] of ["to the assigned", "to the joined", "to alice", "to one"].entries()) {
        assert.deepEqual(await next(reliable), [data, n + 3]);
      }
      for (const data of ["to the assigned", "to alice"]) assert.equal(await simple.next(), data);

      for (const socket of [plain, reliable]) {
        assert.equal((await socket.ask({ type: "joinGroup", group: "joined", ackId: 5 })).error.name, "Duplicate");
        assert.equal((await socket.ask({ type: "leaveGroup", group: "joined", ackId: 6 })).success, true);
      }
      assert.equal(
        (await limited.ask({ type: "sendToGroup", group: "other", data: 1, ackId: 1 })).error.name,
        "Forbidden",
      );
      assert.equal(
        (await limited.ask({ type: "sendToGroup", group: "assigned", dataType: "text", data: "after", ackId: 2 }))
          .success,
        true,
      );
      assert.deepEqual(await next(plain), ["after", undefined]);
      assert.deepEqual(await next(reliable), ["after", 7]);
      assert.equal(await simple.next(), "after");
      assert.equal((await plain.close(3001)).code, 3001);
      assert.equal(await hub.exists(`/connections/${plain.id}`), false);
    });
  },
  { steady: "it waits for longer than hubs grow" },
);
