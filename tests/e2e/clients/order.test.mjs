// What one publisher sends arrives in the order sent, once, at every member on every shard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const MEMBERS = 12;
const MESSAGES = 300;

forEachShardCount("Order", (service) => {
  const members = (hub) =>
    Promise.all(
      Array.from({ length: MEMBERS }, (_, n) =>
        n % 2 ? hub.connect({ groups: ["room"] }) : hub.connectReliable({ groups: ["room"] }),
      ),
    );

  test("of one client's messages", async () => {
    const hub = service.newHub();
    const listeners = await members(hub);
    const publisher = await hub.connect({ roles: ALL_ROLES });
    for (let n = 1; n <= MESSAGES; n++) publisher.send({ type: "sendToGroup", group: "room", data: n, ackId: n });
    for (const listener of listeners) {
      for (let n = 1; n <= MESSAGES; n++) {
        const { data, sequenceId } = await listener.json();
        assert.equal(data, n);
        if (sequenceId !== undefined) assert.equal(sequenceId, n);
      }
    }
    for (let n = 1; n <= MESSAGES; n++)
      assert.deepEqual(await publisher.json(), { type: "ack", ackId: n, success: true });
  });

  test("of several clients' messages, each taken by itself", async () => {
    const hub = service.newHub();
    const listeners = await members(hub);
    const publishers = await Promise.all([..."abcd"].map((user) => hub.connect({ user, roles: ALL_ROLES })));
    const each = MESSAGES / 3;
    for (let n = 1; n <= each; n++) {
      for (const publisher of publishers) publisher.send({ type: "sendToGroup", group: "room", data: n });
    }
    for (const listener of listeners) {
      const last = { a: 0, b: 0, c: 0, d: 0 };
      for (let n = 1; n <= each * publishers.length; n++) {
        const { fromUserId, data, sequenceId } = await listener.json();
        assert.equal(data, ++last[fromUserId], fromUserId);
        if (sequenceId !== undefined) assert.equal(sequenceId, n);
      }
    }
  });

  test("of a server's publishes, each begun after the last's answer", async () => {
    const hub = service.newHub();
    const listeners = await members(hub);
    const targets = ["", "/groups/room"];
    for (let n = 1; n <= 60; n++) await hub.send(targets[n % 2], String(n));
    for (const listener of listeners) {
      for (let n = 1; n <= 60; n++) assert.equal((await listener.json()).data, String(n));
    }
  });

  test("a join holds for whatever is published after its ack", async () => {
    const hub = service.newHub();
    const publisher = await hub.connect({ roles: ALL_ROLES });
    const listeners = await Promise.all(Array.from({ length: MEMBERS }, () => hub.connect({ roles: ALL_ROLES })));
    for (const [n, listener] of listeners.entries()) {
      await listener.ask({ type: "joinGroup", group: "room", ackId: 1 });
      publisher.send({ type: "sendToGroup", group: "room", data: n });
      for (const member of listeners.slice(0, n + 1)) assert.equal((await member.json()).data, n);
    }
  });
});
