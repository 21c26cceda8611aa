// Reliable delivery on the real thing, through kills, cuts, silences and reloads: the quick form of `npm run chaos`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachShardCount } from "../support/service.mjs";
import { Chaos } from "./run.mjs";

/**
 * @param {import("../support/service.mjs").Service} service
 * @param {import("./run.mjs").Plan} plan
 * @param {import("node:test").TestContext} t
 */
async function expectDelivery(service, plan, t) {
  const chaos = new Chaos(service, plan);
  await chaos.run();
  for (const line of chaos.figures()) t.diagnostic(line);
  assert.deepEqual(chaos.violations.slice(0, 20), []);
}

forEachShardCount(
  "Chaos",
  (service) => {
    test("what was acknowledged survives kills, cuts and hibernation", async (t) => {
      await expectDelivery(service, { seed: 1, messages: 1_000, kills: 3, cuts: 8, silences: 1 }, t);
    });
  },
  { steady: "it lasts for longer than hubs grow" },
);

forEachShardCount(
  "Chaos under npm start",
  (service) => {
    test("what was acknowledged survives reloads and cuts", async (t) => {
      await expectDelivery(service, { seed: 1, messages: 500, reloads: 3, cuts: 4 }, t);
    });
  },
  { runner: "start", steady: "the number of shards has nothing to do with the command", isOfWorkerd: true },
);
