// When a shard takes its turn.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pass, settle, standIn, waits } from "./platform.mjs";
import { Schedule } from "../../worker/js/schedule.ts";

/** A schedule, with what it did: its turns, and when it held back what else arrives. */
function schedule() {
  const done = [];
  const state = {
    blockConcurrencyWhile: async (work) => {
      done.push("hold");
      await work();
      done.push("go on");
    },
  };
  const made = new Schedule(standIn(state), () => void done.push("turn"));
  return { schedule: made, done };
}

describe("A shard's turn", () => {
  test("is one for everything that has arrived by then", async () => {
    const { schedule: turns, done } = schedule();
    turns.soon();
    turns.soon();
    assert.deepEqual(done, []);
    assert.equal(waits.length, 1);
    await pass();
    assert.deepEqual(done, ["turn"]);
  });

  test("comes before those who wait for it go on", async () => {
    const { schedule: turns, done } = schedule();
    const both = Promise.all([turns.next().then(() => done.push("one")), turns.next().then(() => done.push("two"))]);
    turns.soon();
    await pass();
    await both;
    assert.deepEqual(done, ["turn", "one", "two"]);
  });

  test("is not taken where only a wait was asked for", async () => {
    const { schedule: turns, done } = schedule();
    const waited = turns.next();
    await pass();
    await waited;
    assert.deepEqual(done, []);
  });

  test("asked for again after it is another one", async () => {
    const { schedule: turns, done } = schedule();
    turns.soon();
    await pass();
    turns.soon();
    await pass();
    assert.deepEqual(done, ["turn", "turn"]);
  });

  test("before anything more holds the object until it is taken", async () => {
    const { schedule: turns, done } = schedule();
    turns.beforeMore();
    turns.beforeMore();
    await settle();
    assert.deepEqual(done, ["hold"]);
    await pass();
    assert.deepEqual(done, ["hold", "turn", "go on"]);
    turns.beforeMore();
    await pass();
    assert.deepEqual(done.slice(3), ["hold", "turn", "go on"], "the same again");
  });

  test("that was due soon as well is not taken twice", async () => {
    const { schedule: turns, done } = schedule();
    turns.beforeMore();
    turns.soon();
    await pass();
    await pass();
    assert.deepEqual(
      done.filter((what) => what === "turn"),
      ["turn"],
    );
  });
});
