// Groups, as clients use them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const text = (data, more = {}) => ({ type: "sendToGroup", group: "room", dataType: "text", data, ...more });
const received = (data, fromUserId) => ({
  type: "message",
  from: "group",
  ...(fromUserId ? { fromUserId } : {}),
  group: "room",
  dataType: "text",
  data,
});
const forbidden = (ackId, message) => ({ type: "ack", ackId, success: false, error: { name: "Forbidden", message } });

forEachShardCount("Groups", (service) => {
  test("a member receives from its group until it leaves", async () => {
    const hub = service.newHub();
    const bob = await hub.connect({ user: "bob", roles: ALL_ROLES });
    const alice = await hub.connect({ user: "alice", roles: ALL_ROLES });
    assert.deepEqual(await alice.ask({ type: "joinGroup", group: "room", ackId: 1 }), {
      type: "ack",
      ackId: 1,
      success: true,
    });
    assert.deepEqual(await bob.ask(text("hi", { ackId: 1 })), { type: "ack", ackId: 1, success: true });
    assert.deepEqual(await alice.json(), received("hi", "bob"));

    assert.equal((await alice.ask({ type: "leaveGroup", group: "room", ackId: 2 })).success, true);
    await bob.ask(text("into the void", { ackId: 2 }));
    await hub.send("", "to all");
    assert.equal((await alice.json()).data, "to all");
  });

  test("an anonymous sender has no name", async () => {
    const hub = service.newHub();
    const listener = await hub.connect({ groups: ["room"] });
    const sender = await hub.connect({ roles: ALL_ROLES });
    sender.send(text("hi"));
    assert.deepEqual(await listener.json(), received("hi"));
  });

  test("a member receives its own messages, unless it asks not to", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ user: "alice", roles: ALL_ROLES, groups: ["room"] });
    const sameUser = await hub.connect({ user: "alice", groups: ["room"] });
    alice.send(text("not to me", { noEcho: true }));
    alice.send(text("to me too", { noEcho: false }));
    assert.deepEqual(await alice.json(), received("to me too", "alice"));
    assert.deepEqual(await sameUser.json(), received("not to me", "alice"));
    assert.deepEqual(await sameUser.json(), received("to me too", "alice"));
  });

  test("joining twice brings one copy, leaving a foreign group none", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ user: "alice", roles: ALL_ROLES, groups: ["room"] });
    assert.equal((await alice.ask({ type: "joinGroup", group: "room", ackId: 1 })).success, true);
    assert.equal((await alice.ask({ type: "joinGroup", group: "room", ackId: 2 })).success, true);
    assert.equal((await alice.ask({ type: "leaveGroup", group: "elsewhere", ackId: 3 })).success, true);
    await hub.send("/groups/room", "one");
    await hub.send("/groups/room", "two");
    assert.equal((await alice.json()).data, "one");
    assert.equal((await alice.json()).data, "two");
  });

  test("without a role nothing is allowed, and the ack says what", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ user: "alice", groups: ["room"] });
    assert.deepEqual(
      await alice.ask({ type: "joinGroup", group: "room", ackId: 1 }),
      forbidden(1, "The client does not have permission to join group 'room'."),
    );
    assert.deepEqual(
      await alice.ask({ type: "leaveGroup", group: "room", ackId: 2 }),
      forbidden(2, "The client does not have permission to leave group 'room'."),
    );
    assert.deepEqual(
      await alice.ask(text("hi", { ackId: 3 })),
      forbidden(3, "The client does not have permission to send to group 'room'."),
    );
    await hub.send("/groups/room", "still a member");
    assert.equal((await alice.json()).data, "still a member");
  });

  test("what is refused without an ack id is refused in silence", async () => {
    const hub = service.newHub();
    const alice = await hub.connect();
    alice.send({ type: "joinGroup", group: "room" });
    alice.send(text("hi"));
    await alice.expectSilence();
    assert.equal(await hub.exists("/groups/room"), false);
  });

  test("names of groups keep their case and may have any characters", async () => {
    const hub = service.newHub();
    const groups = ["room", "Room", " room", "a/b?c#d%20e", "räume 🚀", "line\nbreak", '"quoted"', "g".repeat(1024)];
    const members = await Promise.all(groups.map((group) => hub.connect({ groups: [group] })));
    const sender = await hub.connect({ roles: ALL_ROLES });
    for (const [at, group] of groups.entries()) {
      assert.equal(
        (await sender.ask({ type: "sendToGroup", group, dataType: "json", data: at, ackId: at })).success,
        true,
      );
    }
    for (const [at, member] of members.entries()) {
      const message = await member.json();
      assert.deepEqual([message.group, message.data], [groups[at], at]);
    }
  });

  test("metadata arrives as it was sent", async () => {
    const hub = service.newHub();
    const listener = await hub.connect({ groups: ["room"] });
    const sender = await hub.connect({ roles: ALL_ROLES });
    sender.send(text("hi", { metadata: { Trace: "1", trace: "2" } }));
    assert.deepEqual(await listener.json(), { ...received("hi"), metadata: { Trace: "1", trace: "2" } });
  });

  test("a thousand groups on one connection all work", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ roles: ALL_ROLES });
    for (let group = 1; group <= 1000; group++) alice.send({ type: "joinGroup", group: `g${group}` });
    await alice.expectSilence();
    for (const group of [1, 500, 1000]) {
      await hub.send(`/groups/g${group}`, `to ${group}`);
      assert.equal((await alice.json()).group, `g${group}`);
    }
  });
});
