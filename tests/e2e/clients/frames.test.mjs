// Frames that are no message: how they end a connection, and how large one may be.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { exchange, frame } from "../../support/raw.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { RELIABLE_V1 } from "../../support/socket.mjs";

const LIMIT = 1_048_576;
const INVALID = { code: 1007, reason: "The client message is not a valid JSON protocol message." };
const BINARY = { code: 1003, reason: "The JSON subprotocol requires text messages." };
const TOO_LARGE = { code: 1009, reason: "The client message is too large." };

/** A sendToGroup frame of exactly this many bytes. */
function frameOf(bytes, character = "x") {
  const [head, tail] = ['{"type":"sendToGroup","group":"room","dataType":"text","data":"', '"}'];
  const room = bytes - head.length - tail.length;
  const filling = character.repeat(Math.floor(room / Buffer.byteLength(character)));
  return head + filling + "x".repeat(room - Buffer.byteLength(filling)) + tail;
}

forEachShardCount(
  "Frames",
  (service) => {
    /** The connection receives the reason, is closed with code and text, and gone for good. */
    async function expectRefusal(socket, hub, close) {
      assert.deepEqual(await socket.json(), { type: "system", event: "disconnected", message: close.reason });
      assert.deepEqual(await socket.closed(), close);
      assert.equal(await hub.exists(`/connections/${socket.id}`), false);
    }

    test("text that is no message closes with 1007", async () => {
      const hub = service.newHub();
      for (const frame of ["", "hello", "{", "[]", "null", '{"type":"shout"}', '{"type":"joinGroup"}']) {
        const socket = await hub.connect();
        socket.send(frame);
        await expectRefusal(socket, hub, INVALID);
      }
    });

    test("a reliable connection ends as finally as any other", async () => {
      const hub = service.newHub();
      const socket = await hub.connect({ protocol: RELIABLE_V1 });
      socket.send("hello");
      await expectRefusal(socket, hub, INVALID);
    });

    test("a binary frame closes with 1003", async () => {
      const hub = service.newHub();
      for (const bytes of [Buffer.from('{"type":"ping"}'), Buffer.alloc(0)]) {
        const socket = await hub.connect();
        socket.send(bytes);
        await expectRefusal(socket, hub, BINARY);
      }
    });

    test("what precedes a refused frame is done, what follows is not", async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const socket = await hub.connect({ roles: ALL_ROLES });
      for (const data of ["before", null, "after"])
        socket.send({ type: "sendToGroup", group: "room", dataType: "text", data });
      await expectRefusal(socket, hub, INVALID);
      assert.equal((await listener.json()).data, "before");
      await hub.send("", "nothing between");
      assert.equal((await listener.json()).data, "nothing between");
    });

    test("a message of 1 MiB is delivered whole", async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const sender = await hub.connect({ roles: ALL_ROLES });
      for (const character of ["x", "é"]) {
        const frame = frameOf(LIMIT, character);
        sender.send(frame);
        assert.equal((await listener.json()).data, JSON.parse(frame).data);
      }
    });

    test("a message may come in fragments, and counts as a whole", async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const sender = await hub.connect({ roles: ALL_ROLES });
      const pieces = (text, count) =>
        Array.from({ length: count }, (_, n) => text.slice((n * text.length) / count, ((n + 1) * text.length) / count));
      sender.sendInFragments(pieces(frameOf(300), 10));
      assert.equal((await listener.json()).data, JSON.parse(frameOf(300)).data);
      sender.sendInFragments(pieces(frameOf(LIMIT + 1), 8));
      await expectRefusal(sender, hub, TOO_LARGE);
    });

    test("one byte more closes with 1009, in bytes and not characters", async () => {
      const hub = service.newHub();
      for (const frame of [
        frameOf(LIMIT + 1),
        frameOf(LIMIT + 1, "é"),
        frameOf(LIMIT + 1, "🚀"),
        frameOf(4 * LIMIT),
        Buffer.alloc(LIMIT + 1),
      ]) {
        const socket = await hub.connect({ roles: ALL_ROLES });
        socket.send(frame);
        await expectRefusal(socket, hub, TOO_LARGE);
      }
    });

    test("a ping of the WebSocket protocol gets its pong", async () => {
      const hub = service.newHub();
      const head = [
        `GET /client/hubs/${hub.name}?access_token=${hub.token()} HTTP/1.1`,
        `Host: 127.0.0.1:${service.port}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ];
      const bytes = Buffer.concat([
        Buffer.from(`${head.join("\r\n")}\r\n\r\n`),
        frame(9, Buffer.from("are you there?")),
      ]);
      const pong = "\x8a\x0eare you there?";
      assert.ok((await exchange(service, bytes, (text) => text.includes(pong))).endsWith(pong));
    });

    test("simple clients have the same limit", async () => {
      const hub = service.newHub();
      const listener = await hub.connectSimple({ groups: ["room"] });
      const query = "&webpubsub_mode=sendToGroup&group=room";
      const sender = await hub.connectSimple({ roles: ALL_ROLES, query });
      const bytes = Buffer.alloc(LIMIT, 7);
      sender.send(bytes);
      assert.deepEqual(await listener.next(), bytes);
      sender.send(Buffer.alloc(LIMIT + 1));
      assert.deepEqual(await sender.closed(), TOO_LARGE);
    });
  },
  { steady: "it is about one connection" },
);
