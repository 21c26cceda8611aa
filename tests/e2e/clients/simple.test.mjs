// Clients without a subprotocol: payloads and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { connectProtobuf } from "../../support/protobuf.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, Socket } from "../../support/socket.mjs";

forEachShardCount("Simple clients", (service) => {
  test("receive bare payloads, and no message before the first", async () => {
    const hub = service.newHub();
    const socket = await hub.connectSimple({ user: "alice", groups: ["room"] });
    assert.equal(socket.protocol, "");
    await hub.send("", "Hello World");
    await hub.send("/users/alice", '"quoted"', { type: "application/json" });
    await hub.send("/groups/room", ' { "a": 1.0 }\n', { type: "application/json" });
    await hub.send("", Buffer.from([0, 255]), { type: "application/octet-stream" });
    await hub.send("", "");
    assert.equal(await socket.next(), "Hello World");
    assert.equal(await socket.next(), '"quoted"');
    assert.equal(await socket.next(), ' { "a": 1.0 }\n');
    assert.deepEqual(await socket.next(), Buffer.from([0, 255]));
    assert.equal(await socket.next(), "");
  });

  test("send events, and are closed with 1011 without a handler", async () => {
    const hub = service.newHub();
    for (const frame of ["hello", '{"type":"ping"} ', Buffer.from([1])]) {
      const socket = await hub.connectSimple();
      socket.send(frame);
      assert.deepEqual(await socket.closed(), { code: 1011, reason: "Internal server error" });
    }
  });

  test("asked to, publish every frame to one group", async () => {
    const hub = service.newHub();
    const listener = await hub.connect({ groups: ["room"] });
    const query = "&webpubsub_mode=SendToGroup&group=other&group=room&noEcho=TRUE";
    const socket = await hub.connectSimple({ user: "bob", roles: ALL_ROLES, groups: ["room"], query });
    socket.send("hi");
    socket.send(Buffer.from([1, 2]));
    const message = { type: "message", from: "group", fromUserId: "bob", group: "room" };
    assert.deepEqual(await listener.json(), { ...message, dataType: "text", data: "hi" });
    assert.deepEqual(await listener.json(), { ...message, dataType: "binary", data: "AQI=" });
    await hub.send("", "no echo before this");
    assert.equal(await socket.next(), "no echo before this");
  });

  test("receive what they publish themselves, unless they ask not to", async () => {
    const hub = service.newHub();
    const query = "&webpubsub_mode=sendToGroup&group=room";
    const socket = await hub.connectSimple({ roles: ALL_ROLES, groups: ["room"], query });
    socket.send("hi");
    assert.equal(await socket.next(), "hi");
  });

  test("are closed with 1008 for publishing without permission", async () => {
    const hub = service.newHub();
    const socket = await hub.connectSimple({ query: "&webpubsub_mode=sendToGroup&group=room" });
    socket.send("hi");
    assert.deepEqual(await socket.closed(), {
      code: 1008,
      reason: "The connection is not authorized for raw sendToGroup mode.",
    });
  });

  test("are refused with 400 for a mode that is none", async () => {
    const hub = service.newHub();
    for (const query of [
      "&webpubsub_mode=shout",
      "&webpubsub_mode=sendToGroup",
      "&webpubsub_mode=sendToGroup&group=",
      "&webpubsub_mode=sendToGroup&group=%20",
      `&webpubsub_mode=sendToGroup&group=${"g".repeat(1025)}`,
      "&webpubsub_mode=sendToGroup&group=room&noEcho=perhaps",
      "&webpubsub_mode=sendToGroup&group=room&noEcho=",
      "&webpubsub_mode=sendEvent&webpubsub_mode=shout",
      "&webpubsub_mode=sendToGroup&group=room&group=",
      "&webpubsub_mode=sendToGroup&group=room&noEcho=true&noEcho=1",
    ]) {
      await assert.rejects(hub.connectSimple({ roles: ALL_ROLES, query }), { status: 400 }, query);
    }
  });

  test("of parameters that are repeated the last one counts", async () => {
    const hub = service.newHub();
    const query = "&webpubsub_mode=shout&webpubsub_mode=sendToGroup&group=&group=room&noEcho=true&noEcho=false";
    const socket = await hub.connectSimple({ roles: ALL_ROLES, groups: ["room"], query });
    socket.send("hi");
    assert.equal(await socket.next(), "hi");
  });

  test("are asked for no mode where a subprotocol was chosen", async () => {
    const hub = service.newHub();
    for (const query of [
      "&webpubsub_mode=shout",
      "&webpubsub_mode=sendToGroup",
      "&webpubsub_mode=sendToGroup&group=room&noEcho=1",
    ]) {
      const socket = await Socket.open(hub.clientUrl() + query, { protocols: JSON_V1 });
      assert.equal((await socket.json()).event, "connected");
      await socket.expectSilence();
    }
  });

  test("like all others get the platform's pong for a text ping", async () => {
    const hub = service.newHub();
    const query = "&webpubsub_mode=sendToGroup&group=room";
    const simple = [await hub.connectSimple(), await hub.connectSimple({ roles: ALL_ROLES, groups: ["room"], query })];
    for (const socket of [...simple, await connectProtobuf(hub)]) {
      socket.send('{"type":"ping"}');
      assert.equal(await socket.next(), '{"type":"pong"}');
    }
    simple[1].send("published");
    assert.equal(await simple[1].next(), "published");
  });

  test("send events by default, and by name", async () => {
    const hub = service.newHub();
    for (const query of ["&webpubsub_mode=", "&webpubsub_mode=SENDEVENT"]) {
      const socket = await hub.connectSimple({ query });
      socket.send("hello");
      assert.equal((await socket.closed()).code, 1011);
    }
  });
});
