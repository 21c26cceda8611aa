// What members of groups show of themselves: set, cleared and subscribed to, in both encodings, over shards, sleep
// and crashes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as idle } from "node:timers/promises";
import { WebPubSubJsonReliableProtocol } from "@azure/web-pubsub-client-1.1";
import { present } from "../../support/found.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { acked, connectProtobuf, field, message, refused } from "../../support/protobuf.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { PROTOBUF_RELIABLE_V1 } from "../../support/socket.mjs";

const IDLE_MS = 25_000;
const [GROUP, USER] = ["room", "alice"];
const member = { user: USER, groups: [GROUP] };

const setting = (state, ackId) => ({ type: "setGroupState", group: GROUP, state, ackId });
const set = async (socket, state, ackId) => assert.equal((await socket.ask(setting(state, ackId))).success, true);

/** Subscribes, and returns what is shown by connection id. */
async function subscribe(socket, ackId) {
  const ack = await socket.ask({ type: "subscribeGroupState", group: GROUP, ackId });
  assert.equal(ack.success, true);
  const snapshot = await socket.json("a snapshot");
  assert.deepEqual([snapshot.type, snapshot.group], ["groupStateSnapshot", GROUP]);
  return new Map(snapshot.items.map(({ connectionId, state }) => [connectionId, state]));
}

/** The only item of the update that comes next. */
async function updated(socket) {
  const { type, group, items } = await socket.json("an update");
  assert.deepEqual([type, group, items.length], ["groupStateUpdate", GROUP, 1]);
  return items[0];
}

const subscribers = new WeakSet();

/** Subscribes, the first time, and reads until a connection shows this: states reach other shards a little later. */
async function shown(socket, id, state) {
  if (!subscribers.has(socket)) socket.send({ type: "subscribeGroupState", group: GROUP });
  subscribers.add(socket);
  for (;;) {
    const { items = [] } = await socket.json(`a state of ${id}`);
    const found = items.find(({ connectionId }) => connectionId === id);
    if (found && JSON.stringify(found.state) === JSON.stringify(state)) return found;
  }
}

forEachShardCount("Group states", (service) => {
  test("a subscriber gets a snapshot, then every change", async () => {
    const hub = service.newHub();
    const [alice, bob] = [await hub.connect(member), await hub.connect({ roles: ALL_ROLES })];
    await set(alice, { status: "typing" }, 1);
    await shown(bob, alice.id, { status: "typing" });
    await set(alice, { status: "away", "": "é" }, 2);
    const away = await updated(bob);
    assert.deepEqual(away, {
      connectionId: alice.id,
      userId: USER,
      state: { "": "é", status: "away" },
      updatedAt: away.updatedAt,
    });
    assert.ok(Math.abs(away.updatedAt - Date.now()) < 60_000, "milliseconds since 1970");
    await set(alice, undefined, 3);
    const cleared = await updated(bob);
    assert.deepEqual(cleared, { connectionId: alice.id, userId: USER, updatedAt: cleared.updatedAt });
    assert.ok(cleared.updatedAt > away.updatedAt);
    assert.equal((await bob.ask({ type: "unsubscribeGroupState", group: GROUP, ackId: 9 })).success, true);
    await set(alice, { status: "back" }, 4);
    await bob.expectSilence();
  });

  test("whoever leaves, is removed or ends is shown no more", async () => {
    const hub = service.newHub();
    const watcher = await hub.connect({ roles: ALL_ROLES });
    const ends = [
      (socket) => socket.ask({ type: "leaveGroup", group: GROUP, ackId: 2 }),
      (socket) => hub.rest("DELETE", `/groups/${GROUP}/connections/${socket.id}`),
      (socket) => hub.rest("DELETE", `/connections/${socket.id}`),
      (socket) => socket.close(1000),
      (socket) => socket.cut(),
    ];
    for (const end of ends) {
      const alice = await hub.connect({ ...member, roles: ALL_ROLES });
      await set(alice, { n: "1" }, 1);
      await shown(watcher, alice.id, { n: "1" });
      await end(alice);
      const { connectionId, state } = await updated(watcher);
      assert.deepEqual([connectionId, state], [alice.id, undefined]);
      alice.cut();
    }
  });

  test("who may set and subscribe, and what is too much", async () => {
    const hub = service.newHub();
    const [stranger, alice] = [await hub.connect(), await hub.connect(member)];
    const refusal = async (socket, message) => (await socket.ask({ ...message, ackId: 1 })).error.name;
    assert.equal(await refusal(stranger, setting({ a: "b" })), "Forbidden");
    assert.equal(await refusal(stranger, { type: "subscribeGroupState", group: GROUP }), "Forbidden");
    assert.equal(await refusal(alice, setting({ a: "b".repeat(4096) })), "BadRequest");
    await set(alice, { a: "b".repeat(4000) }, 2);
  });

  test("protobuf clients set, subscribe and are shown like others", async () => {
    const hub = service.newHub();
    const alice = await connectProtobuf(hub, member);
    const stranger = await connectProtobuf(hub);
    const watcher = await connectProtobuf(hub, { protocol: PROTOBUF_RELIABLE_V1, roles: ALL_ROLES });
    const json = await hub.connect({ roles: ALL_ROLES });
    const entry = field(1, message(field(1, "status"), field(2, "typing")));
    const setFrame = (ackId) => field(15, message(field(1, GROUP), field(2, ackId), field(3, entry)));
    stranger.send(setFrame(1));
    const words = `The client is not a member of group '${GROUP}'.`;
    assert.deepEqual(await stranger.next(), refused(1, "Forbidden", words));
    watcher.send(field(16, message(field(1, GROUP), field(2, 1))));
    assert.deepEqual(await watcher.next(), acked(1));
    assert.deepEqual(await watcher.next(), field(10, message(field(1, GROUP), field(3, 1))));
    alice.send(setFrame(2));
    assert.deepEqual(await alice.next(), acked(2));
    const { updatedAt } = await shown(json, alice.id, { status: "typing" });
    const update = await watcher.next();
    const shownItem = [field(1, alice.id), field(2, USER), field(3, entry), field(4, updatedAt)];
    assert.deepEqual(update, field(9, message(field(1, GROUP), field(2, message(...shownItem)), field(3, 2))));
    watcher.send(field(17, message(field(1, GROUP), field(2, 3))));
    assert.deepEqual(await watcher.next(), acked(3));
  });

  test("Microsoft's client of 1.1.0 reads and writes the messages", async () => {
    const hub = service.newHub();
    const protocol = WebPubSubJsonReliableProtocol();
    const alice = await hub.connectReliable({ ...member, roles: ALL_ROLES });
    const send = (message) => alice.send(protocol.writeMessage(message));
    /** @typedef {{ connectionId: string, userId: string, state: object, updatedAt: number }} Item */
    /** @typedef {{ kind: string, success?: boolean, group?: string, sequenceId?: number, items?: Item[] }} Message */
    const next = async () =>
      /** @type {Message} */ (/** @type {unknown} */ (protocol.parseMessages(await alice.next())));
    send({ kind: "setGroupState", group: GROUP, state: { status: "typing" }, ackId: 1 });
    assert.equal((await next()).success, true);
    send({ kind: "subscribeGroupState", group: GROUP, ackId: 2 });
    assert.equal((await next()).success, true);
    const { kind, group, items, sequenceId } = await next();
    assert.deepEqual([kind, group, sequenceId], ["groupStateSnapshot", GROUP, 1]);
    const [{ updatedAt, ...shownItem }] = present(items, "a list of items");
    assert.deepEqual(shownItem, { connectionId: alice.id, userId: USER, state: { status: "typing" } });
    assert.equal(typeof updatedAt, "number");
    send({ kind: "setGroupState", group: GROUP, ackId: 3 });
    const update = await next();
    assert.deepEqual(
      [update.kind, update.sequenceId, present(update.items, "a list of items")[0].state],
      ["groupStateUpdate", 2, undefined],
    );
    assert.equal((await next()).success, true);
    send({ kind: "unsubscribeGroupState", group: GROUP, ackId: 4 });
    assert.equal((await next()).success, true);
  });

  test("reliable subscribers recover, with the same numbers", async () => {
    const hub = service.newHub();
    const [alice, bob] = [await hub.connect(member), await hub.connectReliable({ roles: ALL_ROLES })];
    assert.equal((await subscribe(bob, 1)).size, 0);
    await set(alice, { n: "1" }, 1);
    const first = await bob.json();
    assert.equal(first.sequenceId, 2);
    bob.send({ type: "sequenceAck", sequenceId: 1 });
    await bob.expectSilence();
    bob.cut();
    await set(alice, { n: "2" }, 2);
    const again = await hub.recover(bob);
    assert.deepEqual(await again.json(), first);
    const second = await again.json();
    assert.deepEqual([second.sequenceId, second.items[0].state], [3, { n: "2" }]);
  });

  test("a crash leaves what reliable connections show, and no more", async () => {
    const hub = service.newHub();
    const options = { ...member, roles: ALL_ROLES };
    const [plain, reliable, bob] = [
      await hub.connect(options),
      await hub.connectReliable(options),
      await hub.connectReliable({ roles: ALL_ROLES }),
    ];
    for (const socket of [plain, reliable]) await set(socket, { n: "1" }, 1);
    for (const left = new Set([plain.id, reliable.id]); left.size > 0; ) {
      if (left.size === 2) bob.send({ type: "subscribeGroupState", group: GROUP });
      for (const { connectionId } of (await bob.json()).items) left.delete(connectionId);
    }
    await service.crash();
    await service.start();
    const again = await hub.recover(bob);
    const view = new Map();
    // Every snapshot and update so far, and that the plain client is gone.
    for (let gone = false; !gone; ) {
      const { type, items } = await again.json();
      if (type === "groupStateSnapshot") view.clear();
      for (const { connectionId, state } of items ?? []) {
        if (state) view.set(connectionId, state);
        else gone = view.delete(connectionId);
      }
    }
    assert.deepEqual([...view], [[reliable.id, { n: "1" }]]);
    const fresh = await hub.connect({ roles: ALL_ROLES });
    assert.deepEqual([...(await subscribe(fresh, 1))], [[reliable.id, { n: "1" }]]);
  });
});

forEachShardCount(
  "Group states of idle clients",
  (service) => {
    test("states and subscriptions outlive hibernation", async () => {
      const hub = service.newHub();
      const [alice, bob] = [await hub.connect(member), await hub.connect({ roles: ALL_ROLES })];
      await set(alice, { n: "1" }, 1);
      await shown(bob, alice.id, { n: "1" });
      await idle(IDLE_MS);
      await set(alice, { n: "2" }, 2);
      assert.deepEqual((await updated(bob)).state, { n: "2" });
      const carol = await hub.connect({ roles: ALL_ROLES });
      await shown(carol, alice.id, { n: "2" });
      alice.cut();
      assert.equal((await updated(bob)).state, undefined);
    });
  },
  { shardCounts: [2], steady: "it waits for longer than hubs grow" },
);
