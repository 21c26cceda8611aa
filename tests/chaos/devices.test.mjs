// MQTT's promises on the real thing: the process is killed while MQTT.js publishes and subscribes at QoS 1 and 2.
import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachShardCount } from "../support/service.mjs";
import { DeviceChaos } from "./devices.mjs";

forEachShardCount(
  "Devices and kills",
  (service) => {
    test("QoS 1 is never lost and QoS 2 never doubled by a kill", async (t) => {
      const chaos = new DeviceChaos(service, { seed: 1, messages: 400, kills: 4, cuts: 6 });
      await chaos.run();
      for (const line of chaos.figures()) t.diagnostic(line);
      assert.deepEqual(chaos.violations.slice(0, 20), []);
    });
  },
  { steady: "it lasts for longer than hubs grow" },
);
