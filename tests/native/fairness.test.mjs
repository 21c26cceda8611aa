// One peer's load is no other's wait: on the native server whoever asks for little is answered long before those who ask
// for very much. What others are given meanwhile says how long that was, however fast the machine is.
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { after, before, describe, test } from "node:test";
import { ALL_ROLES } from "../support/hub.mjs";
import { Pressing } from "../support/pressing.mjs";
import { frame, upgradeRequest } from "../support/raw.mjs";
import { request } from "../support/rest.mjs";
import { Service } from "../support/service.mjs";

/** How much of what one connection has sent is taken before it was carried out. */
const ON_ITS_WAY = 64 << 10;
/** How often each asks. */
const TIMES = 3;
/** How many frames with nothing in them are sent at a time: more than a system has of one connection. */
const FLOOD = 1_000_000;

describe("Fairness", () => {
  const service = new Service({ runner: "server" });
  before(() => service.start());
  after(() => service.stop());

  /** How many bytes others were given while `ask` was answered, the fewest of some times: this process has to wait, too. */
  async function meanwhile(pressing, ask) {
    const given = [];
    while (given.length < TIMES) {
      const before = await pressing.received();
      await ask();
      given.push((await pressing.received()) - before);
    }
    return Math.min(...given);
  }

  test("50 clients that flood a hub keep no other waiting", async (t) => {
    const [hub, count, each] = [service.newHub(), 50, 6_000];
    const quiet = await hub.connect({ roles: ALL_ROLES });
    const numbers = Array.from({ length: each }, (_, n) => n + 1);
    const message = (ackId) => ({ type: "sendToGroup", group: "none", dataType: "text", data: "x", ackId });
    const frames = numbers.map((number) => frame(1, Buffer.from(JSON.stringify(message(number)))));
    const acks = numbers.map((ackId) => 2 + JSON.stringify({ type: "ack", ackId, success: true }).length);
    const answers = count * acks.reduce((sum, bytes) => sum + bytes);
    const pressing = await Pressing.open({
      port: service.port,
      count,
      opening: upgradeRequest(service, hub, { roles: ALL_ROLES }),
      greeting: '"connected"',
      bytes: Buffer.concat(frames),
    });
    t.after(() => pressing.end());
    pressing.go();
    await pressing.until(answers / 20);
    const asked = {
      "a newcomer": () => hub.connect(),
      "a REST call": () => hub.send("/groups/none", "x"),
      "a quiet client": () => quiet.ask(message(1)),
    };
    // In one line with those who flood, each would wait until all that is on its way was carried out.
    const [longest, shortest] = [frames, acks.map((length) => ({ length }))].map((all) => all[each - 1].length);
    const line = (count * ON_ITS_WAY * shortest) / longest;
    for (const [who, ask] of Object.entries(asked)) {
      const waited = (await meanwhile(pressing, ask)) / line;
      t.diagnostic(`${who} waited for ${waited.toFixed(3)} of a line`);
      assert.ok(waited < 0.5, `${who} waited for ${waited} of a line`);
    }
    // Each of them is answered all that it has asked.
    await pressing.until(answers);
    assert.equal(await pressing.received(), answers);
  });

  for (const [what, bytes] of /** @type {const} */ ([
    ["pongs", Array(FLOOD).fill(frame(10, Buffer.alloc(0)))],
    [
      "empty fragments",
      [
        frame(1, Buffer.from('{"type":'), { fin: false }),
        ...Array(FLOOD).fill(frame(0, Buffer.alloc(0), { fin: false })),
        frame(0, Buffer.from('"ping"}')),
      ],
    ],
  ]))
    test(`${what} without end keep no other waiting`, async (t) => {
      const hub = service.newHub();
      const quiet = await hub.connect({ roles: ALL_ROLES });
      // More than there are threads, so that each has some.
      const count = 4 * availableParallelism();
      const pressing = await Pressing.open({
        port: service.port,
        count,
        opening: upgradeRequest(service, hub, { roles: ALL_ROLES }),
        greeting: '"connected"',
        bytes: Buffer.concat(bytes),
        endless: true,
      });
      t.after(() => pressing.end());
      pressing.go();
      // They send by then.
      await pressing.received();
      for (let time = 0; time < TIMES; time++) {
        assert.equal((await request(service.endpoint, "HEAD", "/api/health")).status, 200);
        const message = { type: "sendToGroup", group: "none", dataType: "text", data: "x", ackId: time + 1 };
        assert.equal((await quiet.ask(message)).success, true);
        (await hub.connect()).cut();
      }
      // None of them has ended.
      await pressing.received();
    });

  test("500 clients that ask for many files keep no other waiting", async (t) => {
    const [count, each] = [500, 20];
    const file = `GET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1:${service.port}\r\n\r\n`;
    const { status, body } = await request(service.endpoint, "GET", "/api/openapi.json");
    assert.equal(status, 200);
    const asked = count * each * Buffer.byteLength(body);
    const pressing = await Pressing.open({ port: service.port, count, bytes: Buffer.from(file.repeat(each)) });
    t.after(() => pressing.end());
    pressing.go();
    await pressing.until(asked / 20);
    const waited = await meanwhile(pressing, async () => {
      assert.equal((await request(service.endpoint, "HEAD", "/api/health")).status, 200);
    });
    t.diagnostic(`a health check waited for ${(waited / asked).toFixed(3)} of all answers`);
    assert.ok(waited < asked / 4, `a health check waited for ${waited / asked} of all answers`);
    await pressing.until(asked);
  });
});
