// The process is killed and started again on the state that it left.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventHandler } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";

forEachShardCount("After a crash", (service) => {
  test("plain connections are gone, and new ones find the hub intact", async () => {
    const hub = service.newHub();
    const options = { user: "alice", groups: ["room"], roles: ALL_ROLES };
    const before = await Promise.all([hub.connect(options), hub.connect(options), hub.connectReliable(options)]);
    await hub.send("", "before");
    for (const socket of before) assert.equal((await socket.json()).data, "before");

    await service.crash();
    for (const socket of before) assert.equal((await socket.closed()).code, 1006);
    await service.start();

    assert.equal(await hub.exists(`/connections/${before[0].id}`), false);
    const [plain, reliable] = [await hub.connect(options), await hub.connectReliable(options)];
    await hub.send("/groups/room", "after");
    assert.equal((await plain.json()).data, "after");
    assert.deepEqual((({ data, sequenceId }) => [data, sequenceId])(await reliable.json()), ["after", 1]);
    assert.equal((await plain.ask({ type: "leaveGroup", group: "room", ackId: 1 })).success, true);
  });

  test("reliable connections come back, and nothing accepted is lost", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable({ user: "alice", roles: ALL_ROLES });
    const bob = await hub.connectReliable({ user: "bob", roles: ALL_ROLES });
    for (const socket of [alice, bob]) await socket.ask({ type: "joinGroup", group: "room", ackId: 1 });
    await hub.send("/groups/room", "one");
    await hub.send("", "two");
    const frames = [await alice.next(), await alice.next()];
    await service.crash();
    await service.start();
    await hub.send("/groups/room", "three");
    const [first, second] = [await hub.recover(alice), await hub.recover(bob)];
    for (const socket of [first, second]) {
      for (const frame of frames) assert.equal(await socket.next(), frame, "the same bytes");
      assert.equal((await socket.json()).sequenceId, 3);
      assert.equal((await socket.ask({ type: "leaveGroup", group: "room", ackId: 1 })).error.name, "Duplicate");
    }
  });
});

forEachShardCount(
  "Woken by an alarm after a crash",
  (service) => {
    test("a shard knows its hub before anything was asked of it", async (t) => {
      const hub = service.newHub();
      const handler = await EventHandler.start(t);
      await hub.useHandler(handler, { systemEvents: ["disconnected"] });
      const away = await hub.connectReliable();
      await away.close(3001);
      // A close is answered before it is on disk; this answer waits for that.
      assert.equal(await hub.exists(`/connections/${away.id}`), true);
      await service.crash();
      await service.start();
      // The end of its recovery window wakes its shard, and nothing else does.
      assert.equal((await handler.next("sys.disconnected")).connection, away.id);
      assert.equal(await hub.exists(`/connections/${away.id}`), false);
      const alice = await hub.connectReliable();
      await hub.send("", "hello");
      assert.equal((await alice.json()).data, "hello");
    });
  },
  {
    variables: { RECOVERY_WINDOW_SECONDS: 5, ALLOW_PRIVATE_EVENT_HANDLERS: "true" },
    steady: "nothing may be asked of its shards",
  },
);
