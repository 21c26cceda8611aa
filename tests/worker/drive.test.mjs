// The loop that resumes a task of Rust's with what its promises come to.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { reported, trap } from "./platform.mjs";
import { drive } from "../../worker/js/drive.ts";

describe("Driving a task", () => {
  beforeEach(() => void reported.splice(0));

  test("resumes it with what each promise comes to, in order", async () => {
    const seen = [];
    const next = [Promise.resolve("b"), Promise.reject("c"), "done"];
    const value = await drive(Promise.resolve("a"), (value, failed) => {
      seen.push([value, failed]);
      return next.shift();
    });
    assert.equal(value, "done");
    assert.deepEqual(seen, [
      ["a", false],
      ["b", false],
      ["c", true],
    ]);
  });

  test("resolves at once with a value that is no promise", async () => {
    assert.equal(await drive(7, () => assert.fail("nothing to resume")), 7);
  });

  test("rejects with what the task throws", async () => {
    const error = new Error("refused");
    await assert.rejects(
      drive(Promise.resolve(), () => {
        throw error;
      }),
      error,
    );
    assert.deepEqual(reported, []);
  });

  test("reports a trap, which no caller may see", async () => {
    const error = trap();
    await assert.rejects(
      drive(Promise.resolve(), () => {
        throw error;
      }),
      error,
    );
    assert.deepEqual(reported, [error]);
  });
});
