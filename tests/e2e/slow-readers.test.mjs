// Some clients never read what they are sent. The others get everything, and the process does not grow for ever.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { forEachShardCount } from "../support/service.mjs";

const MEGABYTE = 1024 * 1024;
const OFFERED = 64;
const STUCK = 8;
const READING = 8;
/** `OUTBOUND_LIMIT_BYTES` where nothing else is set. */
const BOUND = 16 * MEGABYTE;
const FULL = "The reliable message buffer is full.";

forEachShardCount("Slow readers", (service) => {
  /** The memory that the process has, where the system tells. */
  function memory() {
    const file = `/proc/${service.pid}/status`;
    return existsSync(file) ? 1024 * Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(file, "utf8"))[1]) : 0;
  }

  /** A message with a number, which takes a megabyte with all that is around it. */
  const numbered = (n) => `${n} `.padEnd(MEGABYTE - 200, "x");

  test("are closed while others hear everything, and the process grows by little more than what they are allowed", async (t) => {
    // The process has just begun: what it takes to hand messages on at all is in the bound.
    const hub = service.newHub();
    const connect = (user) => (_, n) => (n % 2 ? hub.connectSimple({ user }) : hub.connect({ user }));
    const reading = await Promise.all(Array.from({ length: READING }, () => hub.connect({ user: "reading" })));
    const stuck = await Promise.all(Array.from({ length: STUCK }, connect("stuck")));
    for (const socket of stuck) socket.stopReading();
    const before = memory();
    let [offered, most] = [0, 0];
    async function offer() {
      const message = numbered(++offered);
      await hub.send("", message);
      for (const socket of reading) assert.equal((await socket.json()).data, message);
      if (offered % 4 === 0) for (const socket of reading) await socket.expectSilence();
      most = Math.max(most, memory());
    }
    // Every client is thought to take in a megabyte a second. Who cannot be offered more cannot be found out.
    const started = performance.now();
    while (await hub.exists("/users/stuck")) await offer();
    const taken = (MEGABYTE * (performance.now() - started)) / 1_000;
    const needed = offered;
    while (offered < OFFERED) await offer();
    const grown = most - before;
    t.diagnostic(`the stuck were closed after ${needed} MB of ${offered}, the process grew by ${Math.round(grown / MEGABYTE)} MB`);
    assert.ok(needed > BOUND / MEGABYTE);
    assert.ok(grown <= OFFERED * MEGABYTE + STUCK * (BOUND + taken), `it grew by ${grown} bytes`);
    assert.equal(await hub.exists("/users/reading"), true);

    for (const socket of stuck) {
      socket.read();
      assert.deepEqual(await socket.closed(), { code: 1008, reason: "slow consumer" });
    }
  });

  test("that are reliable and acknowledge nothing are closed at 16 MB", async () => {
    const hub = service.newHub();
    const stuck = await hub.connectReliable({ user: "stuck" });
    stuck.stopReading();
    for (let n = 1; n <= 16; n++) await hub.send("", numbered(n));
    assert.equal(await hub.exists("/users/stuck"), true);
    await hub.send("", numbered(17));
    assert.equal(await hub.exists("/users/stuck"), false);
    stuck.read();
    for (let n = 1; n <= 16; n++) assert.equal((await stuck.json()).data, numbered(n));
    assert.deepEqual(await stuck.json(), { type: "system", event: "disconnected", message: FULL });
    assert.deepEqual(await stuck.closed(), { code: 1008, reason: FULL });
  });
}, { steady: "it measures memory" });
