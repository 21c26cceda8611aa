// Reliable connections lose their sockets and get new ones: docs/spec/client.md#sequence-ids,
// docs/spec/client.md#detached-connections, docs/spec/client.md#recovery, from end to end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { ALL_ROLES } from "../../support/hub.mjs";
import { bytesAt, field, message } from "../../support/protobuf.mjs";
import { exchange, hasHead } from "../../support/raw.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, PROTOBUF_RELIABLE_V1, PROTOBUF_V1, RELIABLE_V1, Socket } from "../../support/socket.mjs";
import { clientClaims, sign } from "../../support/token.mjs";
import { until } from "../../support/waiting.mjs";

const NOT_RECOVERED = { code: 1008, reason: "The connection could not be recovered." };
const FULL = "The reliable message buffer is full.";
const [WINDOW_SECONDS, DEFAULT_WINDOW_SECONDS] = [5, 60];

forEachShardCount("Recovery", (service) => {
  async function expectRefused(hub, socket, what) {
    assert.deepEqual(await (await hub.recover(socket)).closed(), NOT_RECOVERED, what);
  }

  /**
   * The next frame, without what this socket has had before: an object that slept meanwhile sends again what was not
   * acknowledged, and clients of a reliable subprotocol drop it by its number.
   */
  async function nextNew(socket, what) {
    for (;;) {
      const frame = await socket.json(what);
      if (frame.sequenceId === undefined) return frame;
      if (frame.sequenceId <= (socket.newest ?? 0)) continue;
      socket.newest = frame.sequenceId;
      return frame;
    }
  }

  async function expectData(socket, expected) {
    for (const [data, sequenceId] of expected) {
      const frame = await nextNew(socket, data);
      assert.deepEqual([frame.data, frame.sequenceId], [data, sequenceId]);
    }
  }

  test("unacknowledged, missed and new messages come in order", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable({ user: "alice", roles: ALL_ROLES, groups: ["room"] });
    const bob = await hub.connect({ user: "bob", roles: ALL_ROLES });
    for (const data of ["one", "two", "three"]) await hub.send("/users/alice", data);
    const frames = [await alice.next(), await alice.next(), await alice.next()];
    alice.send({ type: "sequenceAck", sequenceId: 1 });
    await alice.expectSilence();
    alice.cut();
    await bob.ask({ type: "sendToGroup", group: "room", dataType: "text", data: "four", ackId: 1 });
    await hub.send("/groups/room", "five");

    const again = await hub.recover(alice);
    assert.equal(again.protocol, RELIABLE_V1);
    for (const frame of frames.slice(1)) assert.equal(await again.next(), frame, "the same bytes");
    await expectData(again, [
      ["four", 4],
      ["five", 5],
    ]);
    await again.expectSilence();
    await hub.send("", "six");
    await expectData(again, [["six", 6]]);
  });

  test("groups, permissions and ack ids are kept, without connected", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable({ user: "alice", roles: ["webpubsub.joinLeaveGroup.room"] });
    await alice.ask({ type: "joinGroup", group: "room", ackId: 1 });
    alice.cut();
    assert.equal(await hub.exists("/groups/room"), true);
    assert.equal(await hub.exists(`/connections/${alice.id}`), true);
    const again = await hub.recover(alice);
    await again.expectSilence();
    assert.equal((await again.ask({ type: "leaveGroup", group: "room", ackId: 1 })).error.name, "Duplicate");
    assert.equal((await again.ask({ type: "joinGroup", group: "other", ackId: 2 })).error.name, "Forbidden");
    await hub.send("/groups/room", "here?");
    await expectData(again, [["here?", 1]]);
    assert.equal((await again.ask({ type: "leaveGroup", group: "room", ackId: 2 })).success, true);
  });

  test("an access token beside the reconnection token is ignored", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable();
    for (const accessToken of [hub.token({ minutes: -60 }), "rubbish"]) {
      const url = hub.recoveryUrl(alice.id, alice.connected.reconnectionToken, { accessToken });
      const again = await Socket.open(url, { protocols: RELIABLE_V1 });
      await again.expectSilence();
    }
  });

  test("a failed recovery is closed with 1008 and harms nothing", async () => {
    const hub = service.newHub();
    const other = service.newHub();
    const [alice, bob] = [await hub.connectReliable(), await hub.connectReliable()];
    const plain = await hub.connect();
    const token = alice.connected.reconnectionToken;
    const foreign = sign(clientClaims({ audience: alice.id }), service.key);
    for (const [what, of, id, proof] of [
      ["a wrong token", hub, alice.id, "wrong"],
      ["an empty token", hub, alice.id, ""],
      ["no token", hub, alice.id, undefined],
      ["another token that the key signed", hub, alice.id, foreign],
      ["another connection's token", hub, alice.id, bob.connected.reconnectionToken],
      ["an unknown connection", hub, "unknown", token],
      ["an id that is no id", hub, "\u0000", token],
      ["a connection of another hub", other, alice.id, token],
      ["a connection that is not reliable", hub, plain.id, token],
    ]) {
      const socket = await Socket.open(
        /** @type {typeof hub} */ (of).recoveryUrl(String(id), /** @type {string | undefined} */ (proof)),
        { protocols: RELIABLE_V1 },
      );
      assert.deepEqual(await socket.closed(), NOT_RECOVERED, String(what));
    }
    await hub.send(`/connections/${alice.id}`, "still here");
    await expectData(alice, [["still here", 1]]);
  });

  test("the answer has the connection's subprotocol, not the offer's", async () => {
    const hub = service.newHub();
    const chosen = async ({ id, connected }, offer) => {
      const { pathname, search } = new URL(hub.recoveryUrl(id, connected.reconnectionToken));
      const head = [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: 127.0.0.1:${service.port}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ...(offer ? [`Sec-WebSocket-Protocol: ${offer}`] : []),
      ];
      const answer = await exchange(service, Buffer.from(`${head.join("\r\n")}\r\n\r\n`), hasHead);
      assert.match(answer, /^HTTP\/1\.1 101 /);
      return /^sec-websocket-protocol: (.*)$/im.exec(answer)?.[1].trim();
    };
    const json = await hub.connectReliable();
    const binary = await Socket.open(hub.clientUrl(), { protocols: PROTOBUF_RELIABLE_V1 });
    const connected = bytesAt(await binary.next(), 3, 1);
    const [id, token] = [1, 3].map((at) => bytesAt(connected, at).toString());
    for (const offer of [RELIABLE_V1, JSON_V1, PROTOBUF_RELIABLE_V1, "unknown", undefined]) {
      assert.equal(await chosen(json, offer), RELIABLE_V1, `${offer}`);
      const recovered = await chosen({ id, connected: { reconnectionToken: token } }, offer);
      assert.equal(recovered, PROTOBUF_RELIABLE_V1, `${offer}`);
    }
  });

  test("the reliable protobuf subprotocol recovers as well", async () => {
    const hub = service.newHub();
    const alice = await Socket.open(hub.clientUrl({ roles: ALL_ROLES }), { protocols: PROTOBUF_RELIABLE_V1 });
    const connected = bytesAt(await alice.next(), 3, 1);
    const [id, reconnectionToken] = [1, 3].map((at) => bytesAt(connected, at).toString());
    for (const data of ["one", "two"]) await hub.send("", data);
    const frames = [await alice.next(), await alice.next()];
    alice.send(message(field(8, message(field(1, 1)))));
    alice.send(message(field(9, "")));
    await alice.next("a pong: the acknowledgement has arrived");
    alice.cut();
    await hub.send("", "three");
    const again = await hub.recover({ id, connected: { reconnectionToken }, protocol: PROTOBUF_RELIABLE_V1 });
    assert.deepEqual(await again.next(), frames[1], "the same bytes");
    assert.equal(bytesAt(await again.next(), 2, 3, 1).toString(), "three");
  });

  test("a live socket is taken over, and the unacknowledged resent", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable();
    await hub.send("", "one");
    await expectData(alice, [["one", 1]]);
    const again = await hub.recover(alice);
    assert.equal((await alice.closed()).code, 1001);
    await expectData(again, [["one", 1]]);
    await hub.send("", "two");
    await expectData(again, [["two", 2]]);
  });

  test("a client's close with 1000 is final, every other end is not", async () => {
    const hub = service.newHub();
    for (const [code, final] of [
      [1000, true],
      [undefined, false],
      [3001, false],
      [4999, false],
    ]) {
      const alice = await hub.connectReliable();
      await alice.close(/** @type {number | undefined} */ (code));
      if (final) await expectRefused(hub, alice, code);
      else await (await hub.recover(alice)).expectSilence();
    }
  });

  test("a server's close and a violation of the protocol are final", async () => {
    const hub = service.newHub();
    for (const end of [
      (alice) => hub.rest("DELETE", `/connections/${alice.id}`),
      (alice) => alice.send("no JSON"),
      (alice) => alice.send(Buffer.from("binary")),
      (alice) => alice.send(JSON.stringify({ type: "event", event: "e", data: "x".repeat(1_048_577) })),
    ]) {
      const alice = await hub.connectReliable();
      end(alice);
      await alice.closed();
      await expectRefused(hub, alice, String(end));
    }
    const away = await hub.connectReliable();
    away.cut();
    assert.equal((await hub.rest("DELETE", `/connections/${away.id}`)).status, 204);
    await expectRefused(hub, away, "closed while it was away");
  });

  test("connections of the other subprotocols end with their socket", async () => {
    const hub = service.newHub();
    for (const protocol of [JSON_V1]) {
      const plain = await hub.connect({ protocol });
      plain.cut();
      await until(async () => !(await hub.exists(`/connections/${plain.id}`)), "its end");
      const url = hub.recoveryUrl(plain.id, "token");
      assert.deepEqual(await (await Socket.open(url, { protocols: protocol })).closed(), NOT_RECOVERED);
    }
    const binary = await Socket.open(hub.clientUrl({ groups: ["binary"] }), { protocols: PROTOBUF_V1 });
    await binary.next();
    binary.cut();
    await until(async () => !(await hub.exists("/groups/binary")), "its end");
  });

  test("1000 messages are kept; one more ends the connection", async () => {
    const hub = service.newHub();
    const publisher = await hub.connect({ roles: ALL_ROLES });
    const publish = async (group, from, count) => {
      for (let n = 0; n < count; n++)
        publisher.send({ type: "sendToGroup", group, dataType: "text", data: String(from + n) });
      await publisher.expectSilence();
    };
    const [there, away] = [
      await hub.connectReliable({ groups: ["there"] }),
      await hub.connectReliable({ groups: ["away"] }),
    ];
    away.cut();
    await publish("there", 1, 1000);
    await publish("away", 1, 1000);
    const again = await hub.recover(away);
    // The relay between shards is on its way after the publisher's own acknowledgement.
    for (const socket of [there, again]) {
      for (let n = 1; n <= 1000; n++) await expectData(socket, [[String(n), n]]);
    }
    await publish("there", 1001, 1);
    assert.deepEqual(await nextNew(there), { type: "system", event: "disconnected", message: FULL });
    assert.deepEqual(await there.closed(), { code: 1008, reason: FULL });
    await expectRefused(hub, there, "there");
    again.cut();
    // Without a socket to say how far it is, a connection has room for a hundred more when its object has slept.
    let count = 1000;
    await until(async () => {
      await publish("away", ++count, 1);
      return !(await hub.exists(`/connections/${away.id}`));
    }, "its end");
    assert.ok(count <= 1101, `${count} messages`);
    await expectRefused(hub, away, "away");
  });

  test("sixteen mebibytes are kept, and no more", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable();
    const mebibyte = "x".repeat(1_048_576 - 200);
    alice.cut();
    for (let n = 0; n < 16; n++) await hub.send("", mebibyte);
    const again = await hub.recover(alice);
    for (let n = 1; n <= 16; n++) await expectData(again, [[mebibyte, n]]);
    await hub.send("", mebibyte);
    assert.equal((await nextNew(again)).message, FULL);
    assert.deepEqual(await again.closed(), { code: 1008, reason: FULL });
  });

  test("copies whose time to live is over leave gaps in the numbers", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable({ groups: ["room"] });
    const bob = await hub.connect({ roles: ALL_ROLES });
    alice.cut();
    await hub.send("", "short", { query: { messageTtlSeconds: 1 } });
    await hub.send("", "long", { query: { messageTtlSeconds: 300 } });
    await bob.next("the short one");
    await bob.next("the long one");
    await bob.ask({ type: "sendToGroup", group: "room", dataType: "text", data: "short too", ttlSeconds: 1, ackId: 1 });
    await pass(1_100);
    await hub.send("/groups/room", "last");
    await expectData(await hub.recover(alice), [
      ["long", 2],
      ["last", 4],
    ]);
  });
});

forEachShardCount(
  "The time to come back",
  (service) => {
    test("is what the settings say", async () => {
      const hub = service.newHub();
      const [soon, late] = [await hub.connectReliable({ user: "soon" }), await hub.connectReliable({ user: "late" })];
      const cut = performance.now();
      for (const socket of [soon, late]) socket.cut();
      const again = await hub.recover(soon);
      await again.expectSilence();
      await until(async () => !(await hub.exists(`/connections/${late.id}`)), "an end by itself");
      const waited = performance.now() - cut;
      assert.ok(waited >= WINDOW_SECONDS * 1_000, `${waited} ms`);
      assert.ok(waited < DEFAULT_WINDOW_SECONDS * 1_000, `${waited} ms`);
      assert.equal(await hub.exists(`/connections/${soon.id}`), true);
      assert.deepEqual(await (await hub.recover(late)).closed(), NOT_RECOVERED);
    });
  },
  { variables: { RECOVERY_WINDOW_SECONDS: WINDOW_SECONDS }, steady: "it waits for longer than hubs grow" },
);
