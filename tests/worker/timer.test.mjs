// A wait that can be ended.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settle } from "./platform.mjs";
import { Timer } from "../../worker/js/timer.ts";

describe("A timer", () => {
  test("says that its time has passed", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const waited = new Timer().wait(100);
    t.mock.timers.tick(100);
    assert.equal(await waited, true);
  });

  test("that is stopped says so at once", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const timer = new Timer();
    const waited = timer.wait(100);
    timer.stop();
    assert.equal(await waited, false);
  });

  test("waits for one time only, the last that was asked for", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const timer = new Timer();
    const [first, second] = [timer.wait(100), timer.wait(300)];
    assert.equal(await first, false);
    let passed;
    void second.then((value) => (passed = value));
    t.mock.timers.tick(299);
    await settle();
    assert.equal(passed, undefined);
    t.mock.timers.tick(1);
    assert.equal(await second, true);
  });

  test("that is stopped leaves nothing that keeps the object awake", (t) => {
    const cleared = t.mock.method(globalThis, "clearTimeout");
    const timer = new Timer();
    void timer.wait(60_000);
    timer.stop();
    assert.equal(cleared.mock.callCount(), 1);
  });

  test("can be stopped before it waits", () => {
    new Timer().stop();
  });
});
