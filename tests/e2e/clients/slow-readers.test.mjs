// Some clients never read what they are sent. The others get everything, and the process does not grow for ever.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { residentBytes } from "../../support/memory.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const MEGABYTE = 1024 * 1024;
const OFFERED = 64;
const STUCK = 8;
const READING = 8;
/** `OUTBOUND_LIMIT_BYTES` where nothing else is set. */
const BOUND = 16 * MEGABYTE;
/** What the operating system holds of a connection, both ends of it. */
const KERNEL = 16 * MEGABYTE;
const SLOW = "slow consumer";
const FULL = "The reliable message buffer is full.";

forEachShardCount(
  "Slow readers",
  (service) => {
    /** The memory that the process has, where the system reports it. */
    const memory = () => (process.platform === "linux" ? residentBytes(service.pid) : 0);

    /** A message with a number, which takes a megabyte with all that is around it. */
    const numbered = (n) => `${n} `.padEnd(MEGABYTE - 200, "x");

    /** Publishes to all until the stuck are closed, and `OFFERED` messages at least; says how many it took. */
    async function offerAll(hub, { reading, beforeEach = async (_) => {} }) {
      const before = memory();
      let [offered, most, needed] = [0, 0, 0];
      while (needed === 0 || offered < OFFERED) {
        const message = numbered(++offered);
        await beforeEach(offered);
        await hub.send("", message);
        for (const socket of reading) assert.equal((await socket.json()).data, message);
        if (offered % 4 === 0) for (const socket of reading) await socket.expectSilence();
        most = Math.max(most, memory());
        if (needed === 0 && !(await hub.exists("/users/stuck"))) needed = offered;
        assert.ok(offered < 2 * OFFERED, "the stuck are never closed");
      }
      return { offered, needed, grown: most - before };
    }

    test("are closed, others receive all, and memory stays bounded", async (t) => {
      // The process has just begun: what it takes to deliver messages at all is in the bound.
      const hub = service.newHub();
      const connect = (user) => (_, n) => (n % 2 ? hub.connectSimple({ user }) : hub.connect({ user }));
      const reading = await Promise.all(Array.from({ length: READING }, () => hub.connect({ user: "reading" })));
      const stuck = await Promise.all(Array.from({ length: STUCK }, connect("stuck")));
      for (const socket of stuck) socket.stopReading();
      const { offered, needed, grown } = await offerAll(hub, { reading });
      t.diagnostic(
        `the stuck were closed after ${needed} MB of ${offered}, the process grew by ${Math.round(grown / MEGABYTE)} MB`,
      );
      assert.ok(needed > BOUND / MEGABYTE);
      assert.ok(grown <= OFFERED * MEGABYTE + STUCK * (BOUND + KERNEL), `it grew by ${grown} bytes`);
      assert.equal(await hub.exists("/users/reading"), true);

      for (const socket of stuck) {
        socket.read();
        assert.deepEqual(await socket.closed(), { code: 1008, reason: SLOW });
      }
    });

    const chatty = {
      plain: {
        open: (hub) => hub.connect({ user: "stuck" }),
        say: (socket) => socket.send({ type: "leaveGroup", group: "none" }),
      },
      simple: {
        open: (hub) =>
          hub.connectSimple({ user: "stuck", query: "&webpubsub_mode=sendToGroup&group=none", roles: ALL_ROLES }),
        say: (socket) => socket.send("x"),
      },
      reliable: {
        open: (hub) => hub.connectReliable({ user: "stuck" }),
        say: (socket, n) => socket.send({ type: "sequenceAck", sequenceId: n - 1 }),
      },
    };
    for (const [kind, { open, say }] of Object.entries(chatty)) {
      test(`that send are closed as early (${kind}), while a reader stays`, async (t) => {
        const hub = service.newHub();
        const reading = [await hub.connect({ user: "reading" })];
        const stuck = await open(hub);
        stuck.stopReading();
        const beforeEach = async (n) => {
          // Before each message, and so that it has arrived by then.
          if (n === 1) return;
          await say(stuck, n);
          reading[0].send({ type: "ping" });
          assert.deepEqual(await reading[0].json(), { type: "pong" });
        };
        const { needed } = await offerAll(hub, { reading, beforeEach });
        t.diagnostic(`closed after ${needed} MB`);
        assert.ok(needed > BOUND / MEGABYTE && needed <= (BOUND + KERNEL) / MEGABYTE + 2);
        stuck.read();
        assert.deepEqual(await stuck.closed(), { code: 1008, reason: SLOW });
        assert.equal(await hub.exists("/users/reading"), true);
      });
    }

    test("that are reliable and acknowledge nothing close at 16 MiB", async () => {
      const hub = service.newHub();
      const stuck = await hub.connectReliable({ user: "stuck" });
      stuck.stopReading();
      for (let n = 1; n <= 16; n++) await hub.send("", numbered(n));
      assert.equal(await hub.exists("/users/stuck"), true);
      const { body } = await service.manage("GET", "metrics");
      const unread = body.split("\n").filter((line) => line.startsWith(`webpubsub_unread_bytes{hub="${hub.name}"`));
      const waiting = unread.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
      assert.ok(waiting > MEGABYTE && waiting <= 16 * MEGABYTE, `${waiting} bytes wait`);
      await hub.send("", numbered(17));
      assert.equal(await hub.exists("/users/stuck"), false);
      stuck.read();
      for (let n = 1; n <= 16; n++) assert.equal((await stuck.json()).data, numbered(n));
      assert.deepEqual(await stuck.json(), { type: "system", event: "disconnected", message: FULL });
      assert.deepEqual(await stuck.closed(), { code: 1008, reason: FULL });
    });
  },
  { steady: "it measures memory" },
);
