// Messages to reliable clients that no single value of the platform's database holds: as JSON they are above 2 MB.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AT_ONCE, startWithHub } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";

/** A megabyte of characters that JSON writes with six. */
const ESCAPED = "\u0001".repeat(1_000_000);
/** Characters of one to four bytes, so that most cuts fall into the middle of one. */
const MIXED = "aé語😀\n".repeat(400_000);

forEachShardCount(
  "Messages above 2 MB as JSON",
  (service) => {
    const room = (hub, options) => hub.connectReliable({ roles: ALL_ROLES, groups: ["room"], ...options });

    /** The frame of a message, and the same after the service was killed, of which nothing was acknowledged. */
    async function expectKept(hub, socket, data) {
      const frame = await socket.next();
      const { data: received, sequenceId } = JSON.parse(frame);
      assert.ok(received === data, `${received?.length} characters`);
      assert.equal(sequenceId, 1);
      await service.crash();
      await service.start();
      const again = await hub.recover(socket);
      assert.ok((await again.next()) === frame, "the same bytes");
      await hub.send("/groups/room", "after");
      assert.deepEqual((({ data, sequenceId }) => [data, sequenceId])(await again.json()), ["after", 2]);
    }

    test("a server's is delivered, kept, and delivered again", async () => {
      const hub = service.newHub();
      const alice = await room(hub);
      await hub.send("/groups/room", ESCAPED);
      await expectKept(hub, alice, ESCAPED);
    });

    test("a client's is delivered on every shard, kept and resent", async () => {
      const hub = service.newHub();
      const [alice, ...others] = await Promise.all(Array.from({ length: 8 }, () => room(hub)));
      const bob = await hub.connectSimple({ roles: ALL_ROLES, query: "&webpubsub_mode=sendToGroup&group=room" });
      bob.send(ESCAPED);
      for (const socket of others) assert.ok((await socket.json()).data === ESCAPED);
      await expectKept(hub, alice, ESCAPED);
    });

    test("an event handler's is delivered, kept, and delivered again", async (t) => {
      const { handler, hub } = await startWithHub(t, service);
      const alice = await room(hub);
      handler.answer("user.chat", { headers: { "content-type": "text/plain" }, body: MIXED });
      alice.send({ type: "event", event: "chat", data: 1 });
      await expectKept(hub, alice, MIXED);
    });
  },
  { variables: AT_ONCE, inMemory: true, steady: "each shard keeps what its own clients are sent" },
);
