// Ack ids: each operation that carries one is answered once, and done once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const duplicate = (ackId) => ({
  type: "ack",
  ackId,
  success: false,
  error: { name: "Duplicate", message: `Message with ack-id: ${ackId} has been processed` },
});
const unhandled = (ackId) => ({
  type: "ack",
  ackId,
  success: false,
  error: { name: "InternalServerError", message: "Internal server error" },
});

forEachShardCount("Acks", (service) => {
  test("an event without a handler gets an error and closes nothing", async () => {
    const alice = await service.newHub().connect();
    assert.deepEqual(await alice.ask({ type: "event", event: "chat", data: 1, ackId: 1 }), unhandled(1));
    alice.send({ type: "event", event: "chat", data: 1 });
    await alice.expectSilence();
  });

  test("an ack id is used once, whatever the operation", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ roles: ALL_ROLES, groups: ["room"] });
    assert.equal((await alice.ask({ type: "joinGroup", group: "one", ackId: 7 })).success, true);
    assert.deepEqual(await alice.ask({ type: "joinGroup", group: "one", ackId: 7 }), duplicate(7));
    assert.deepEqual(await alice.ask({ type: "sendToGroup", group: "room", data: 1, ackId: 7 }), duplicate(7));
    assert.deepEqual(await alice.ask({ type: "leaveGroup", group: "room", ackId: 7 }), duplicate(7));
    assert.deepEqual(await alice.ask({ type: "event", event: "chat", data: 1, ackId: 7 }), duplicate(7));
    await hub.send("/groups/room", "nothing came before this");
    assert.equal((await alice.json()).data, "nothing came before this");
  });

  test("an operation that failed may be tried again with its ack id", async () => {
    const alice = await service.newHub().connect({ roles: ["webpubsub.joinLeaveGroup"] });
    assert.equal((await alice.ask({ type: "sendToGroup", group: "room", data: 1, ackId: 1 })).error.name, "Forbidden");
    assert.deepEqual(await alice.ask({ type: "event", event: "chat", data: 1, ackId: 1 }), unhandled(1));
    assert.equal((await alice.ask({ type: "joinGroup", group: "room", ackId: 1 })).success, true);
    assert.deepEqual(await alice.ask({ type: "joinGroup", group: "room", ackId: 1 }), duplicate(1));
  });

  test("ack ids of two connections are independent", async () => {
    const hub = service.newHub();
    for (const socket of [await hub.connect({ roles: ALL_ROLES }), await hub.connect({ roles: ALL_ROLES })]) {
      assert.equal((await socket.ask({ type: "joinGroup", group: "room", ackId: 1 })).success, true);
    }
  });

  test("the last thousand ids are remembered, older ones are not", async () => {
    const alice = await service.newHub().connect({ roles: ALL_ROLES });
    for (let ackId = 0; ackId <= 1000; ackId++) alice.send({ type: "joinGroup", group: "room", ackId });
    for (let ackId = 0; ackId <= 1000; ackId++)
      assert.deepEqual(await alice.json(), { type: "ack", ackId, success: true });
    assert.deepEqual(await alice.ask({ type: "joinGroup", group: "room", ackId: 1 }), duplicate(1));
    assert.equal((await alice.ask({ type: "joinGroup", group: "room", ackId: 0 })).success, true);
  });

  test("an ack id may be any 64-bit number", async () => {
    const alice = await service.newHub().connect({ roles: ALL_ROLES });
    for (const id of ["0", "9007199254740993", "18446744073709551615"]) {
      const join = `{"type":"joinGroup","group":"room","ackId":${id}}`;
      alice.send(join);
      assert.equal(await alice.next(), `{"type":"ack","ackId":${id},"success":true}`);
      alice.send(join);
      assert.match(
        String(await alice.next()),
        new RegExp(`^{"type":"ack","ackId":${id},"success":false,.*"Duplicate"`),
      );
    }
  });

  test("an ack id of null is none", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ roles: ALL_ROLES });
    alice.send({ type: "joinGroup", group: "room", ackId: null });
    await alice.expectSilence();
    assert.equal(await hub.exists("/groups/room"), true);
  });

  test("a ping in the platform's spelling or any other is answered", async () => {
    const alice = await service.newHub().connect();
    for (const ping of ['{"type":"ping"}', '{ "type": "PING" }', '{"type":"ping","extra":1}']) {
      alice.send(ping);
      assert.equal(await alice.next(), '{"type":"pong"}');
    }
  });
});
