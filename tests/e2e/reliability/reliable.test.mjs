// The reliable JSON subprotocol: every data message has a number. What follows from that is in recovery.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { RELIABLE_V1, Socket } from "../../support/socket.mjs";

forEachShardCount("Reliable clients", (service) => {
  test("messages are numbered from 1 whatever they are, nothing else", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable({ user: "alice", roles: ALL_ROLES, groups: ["room"] });
    await hub.send("", "1");
    await hub.send("/groups/room", "2");
    await hub.send("/users/alice", "3");
    await hub.send(`/connections/${alice.id}`, "4");
    for (const n of [1, 2, 3, 4]) {
      const { data, sequenceId } = await alice.json();
      assert.deepEqual([data, sequenceId], [String(n), n]);
    }
    assert.deepEqual(await alice.ask({ type: "joinGroup", group: "other", ackId: 1 }), {
      type: "ack",
      ackId: 1,
      success: true,
    });
    await alice.expectSilence();
    alice.send({ type: "sendToGroup", group: "other", dataType: "text", data: "5" });
    assert.equal((await alice.json()).sequenceId, 5);
  });

  test("each connection counts what it receives itself", async () => {
    const hub = service.newHub();
    const early = await hub.connectReliable();
    await hub.send("", "one");
    const late = await hub.connectReliable();
    const plain = await hub.connect();
    await hub.send("", "two");
    assert.equal((await early.json()).sequenceId, 1);
    assert.equal((await early.json()).sequenceId, 2);
    assert.equal((await late.json()).sequenceId, 1);
    assert.equal((await plain.json()).sequenceId, undefined);
  });

  test("the plain protocol takes any sequence ack without a word", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable();
    const plain = await hub.connect();
    await hub.send("", "one");
    await Promise.all([alice.json(), plain.json()]);
    for (const sequenceId of [1, 1, 0]) alice.send({ type: "sequenceAck", sequenceId });
    plain.send({ type: "sequenceAck", sequenceId: 99 });
    plain.send('{"type":"sequenceAck","sequenceId":18446744073709551615}');
    for (const socket of [alice, plain]) await socket.expectSilence();
    await hub.send("", "two");
    assert.equal((await alice.json()).sequenceId, 2);
    assert.equal((await plain.json()).data, "two");
  });

  test("a sequence ack of an unsent message ends the connection", async () => {
    const hub = service.newHub();
    for (const never of ["1", "2", "18446744073709551615"]) {
      const alice = await hub.connectReliable();
      if (never !== "1") {
        await hub.send(`/connections/${alice.id}`, "one");
        assert.equal((await alice.json()).sequenceId, 1);
      }
      alice.send(`{"type":"sequenceAck","sequenceId":${never}}`);
      const word = await alice.json();
      assert.deepEqual(
        [word.event, word.message],
        ["disconnected", "The client message is not a valid JSON protocol message."],
      );
      assert.equal((await alice.closed()).code, 1007, never);
      assert.equal(await hub.exists(`/connections/${alice.id}`), false, never);
    }
  });

  test("a reconnection token without connection id asks for nothing", async () => {
    const hub = service.newHub();
    for (const query of ["awps_reconnection_token=t", "awps_connection_id=&awps_reconnection_token=t"]) {
      const socket = await Socket.open(`${hub.clientUrl()}&${query}`, { protocols: RELIABLE_V1 });
      assert.equal((await socket.json()).event, "connected");
      await assert.rejects(Socket.open(`${hub.url}?${query}`, { protocols: RELIABLE_V1 }), { status: 401 });
    }
  });
});
