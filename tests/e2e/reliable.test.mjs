// The reliable JSON subprotocol: every data message has a number. Recovery is refused, politely.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../support/hub.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { JSON_V1, RELIABLE_V1, Socket } from "../support/socket.mjs";

forEachShardCount("Reliable clients", (service) => {
  const recover = (hub, id, token, protocols = RELIABLE_V1) => {
    const query = new URLSearchParams({ awps_connection_id: id, awps_reconnection_token: token });
    return Socket.open(`${hub.url}?${query}`, { protocols });
  };

  test("messages are numbered 1, 2, 3 … wherever they come from, and nothing else is", async () => {
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
    assert.deepEqual(await alice.ask({ type: "joinGroup", group: "other", ackId: 1 }), { type: "ack", ackId: 1, success: true });
    await alice.expectSilence();
    alice.send({ type: "sendToGroup", group: "other", dataType: "text", data: "5" });
    assert.equal((await alice.json()).sequenceId, 5);
  });

  test("each connection counts what it hears itself", async () => {
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

  test("sequence acks are taken without a word, late, early and on the plain protocol too", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable();
    const plain = await hub.connect();
    await hub.send("", "one");
    await Promise.all([alice.json(), plain.json()]);
    for (const socket of [alice, plain]) {
      for (const sequenceId of [1, 1, 0, 99]) socket.send({ type: "sequenceAck", sequenceId });
      socket.send('{"type":"sequenceAck","sequenceId":18446744073709551615}');
      await socket.expectSilence();
    }
    await hub.send("", "two");
    assert.equal((await alice.json()).sequenceId, 2);
    assert.equal((await plain.json()).data, "two");
  });

  test("a recovery is accepted and closed at once with 1008, which tells clients to begin again", async () => {
    const hub = service.newHub();
    const other = service.newHub();
    const alice = await hub.connectReliable();
    const plain = await hub.connect();
    const token = alice.connected.reconnectionToken;
    for (const [what, socket] of [
      ["a live connection", recover(hub, alice.id, token)],
      ["a wrong token", recover(hub, alice.id, "wrong")],
      ["no token", recover(hub, alice.id, "")],
      ["an unknown connection", recover(hub, "unknown", token)],
      ["a connection of another hub", recover(other, alice.id, token)],
      ["a connection that is not reliable", recover(hub, plain.id, token)],
      ["another protocol", recover(hub, alice.id, token, JSON_V1)],
      ["no protocol", recover(hub, alice.id, token, [])],
    ]) {
      assert.deepEqual(await (await socket).closed(), { code: 1008, reason: "The connection could not be recovered." }, what);
    }
    await hub.send(`/connections/${alice.id}`, "still here");
    assert.equal((await alice.json()).data, "still here");
  });

  test("after a drop too, and an expired access token beside it does not matter", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable();
    alice.cut();
    const query = new URLSearchParams({
      access_token: hub.token({ minutes: -60 }),
      awps_connection_id: alice.id,
      awps_reconnection_token: alice.connected.reconnectionToken,
    });
    const again = await Socket.open(`${hub.url}?${query}`, { protocols: RELIABLE_V1 });
    assert.deepEqual(await again.closed(), { code: 1008, reason: "The connection could not be recovered." });
  });

  test("a reconnection token without a connection id asks for nothing", async () => {
    const hub = service.newHub();
    for (const query of ["awps_reconnection_token=t", "awps_connection_id=&awps_reconnection_token=t"]) {
      const socket = await Socket.open(`${hub.clientUrl()}&${query}`, { protocols: RELIABLE_V1 });
      assert.equal((await socket.json()).event, "connected");
      await assert.rejects(Socket.open(`${hub.url}?${query}`, { protocols: RELIABLE_V1 }), { status: 401 });
    }
  });
});
