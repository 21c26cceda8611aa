// The native server is killed in mid-stream and started again on what it has left: what each durability promises.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Chaos } from "../chaos/run.mjs";
import { Service } from "../support/service.mjs";

const serviceWith = (durability, options = {}) =>
  new Service({ runner: "server", options: ["--durability", durability], ...options });

for (const [durability, shards] of /** @type {const} */ ([
  ["full", 1],
  ["normal", 4],
]))
  describe(`The native server is killed (${durability}, ${shards} ${shards === 1 ? "shard" : "shards"})`, () => {
    test("nothing acknowledged is lost or doubled, no number left out", async (t) => {
      const service = await serviceWith(durability, { shards }).start();
      t.after(() => service.stop());
      const chaos = new Chaos(service, { seed: 1, messages: 1_000, kills: 5, cuts: 5 });
      await chaos.run();
      for (const line of chaos.figures()) t.diagnostic(line);
      assert.deepEqual(chaos.violations.slice(0, 20), []);
    });
  });

describe("The native server is killed (memory)", () => {
  test("everything is gone, and nothing comes back by half", async (t) => {
    const service = await serviceWith("memory").start();
    t.after(() => service.stop());
    const hub = service.newHub();
    const before = await hub.connectReliable({ user: "alice", groups: ["room"] });
    await hub.send("/groups/room", "before");
    assert.equal((await before.json()).sequenceId, 1);
    await service.crash();
    assert.equal((await before.closed()).code, 1006);
    await service.start();
    assert.equal((await (await hub.recover(before)).closed()).code, 1008);
    assert.equal(await hub.exists("/groups/room"), false);
    const after = await hub.connectReliable({ user: "alice", groups: ["room"] });
    await hub.send("/groups/room", "after");
    const { data, sequenceId } = await after.json();
    assert.deepEqual([data, sequenceId], ["after", 1]);
  });
});
