// One set-up, one build at a time.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { withLock } from "../../scripts/lock.mjs";

const folder = mkdtempSync(join(tmpdir(), "lock-"));
after(() => rmSync(folder, { recursive: true }));

test("the second waits for the first", async () => {
  const file = join(folder, "deep", "one");
  const events = [];
  let release;
  const first = withLock(file, "work", () =>
    new Promise((resolve) => (release = resolve)).then(() => events.push("first")),
  );
  const second = withLock(file, "work", async () => events.push("second"));
  release();
  await Promise.all([first, second]);
  assert.deepEqual(events, ["first", "second"]);
  assert.ok(!existsSync(file));
});

test("a failure gives the lock back", async () => {
  const file = join(folder, "two");
  await assert.rejects(
    withLock(file, "work", () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await withLock(file, "work", async () => "done"), "done");
});

test("a lock whose holder is gone is taken over", async () => {
  const file = join(folder, "three");
  // No process has this number: it is above the system's limit.
  writeFileSync(file, "4194305\n");
  assert.equal(await withLock(file, "work", async () => "done"), "done");
});

test("an abandoned lock is taken over", async () => {
  const file = join(folder, "four");
  writeFileSync(file, `${process.pid}\n`);
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(file, longAgo, longAgo);
  assert.equal(await withLock(file, "work", async () => "done"), "done");
});
