// Bodies of requests: what is read of them, what is dropped, and what is left.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { standIn } from "./platform.mjs";
import { dropBody, freeBytes, hasUnreadBody, readBody, textInCharset } from "../../worker/js/body.ts";

/** A request with a body in pieces; `isHanging` says that its sender then neither sends more nor ends it. */
function request(pieces, { isHanging = false, headers = {}, onRead = () => {}, onCancel = () => {} } = {}) {
  const left = [...pieces];
  const body = new ReadableStream(
    {
      pull(controller) {
        onRead();
        if (left.length > 0) controller.enqueue(left.shift());
        else if (!isHanging) controller.close();
        else return new Promise(() => {});
        return undefined;
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
  /** @type {RequestInit & { duplex: "half" }} */
  const init = { method: "POST", body, duplex: "half", headers };
  return new Request("http://localhost/", init);
}

const bytes = (length) => new Uint8Array(length).fill(7);

describe("A body that nothing needs", () => {
  test("is read to its end", async () => {
    let reads = 0;
    await dropBody(request([bytes(10), bytes(10)], { onRead: () => reads++ }), 1000, 1000, 1000);
    assert.equal(reads, 3, "two pieces and the end");
  });

  test("is given up beyond the most that is dropped", async () => {
    let isCancelled = false;
    const endless = request(Array(100).fill(bytes(10)), { onCancel: () => (isCancelled = true) });
    await dropBody(endless, 25, 1000, 1000);
    assert.equal(isCancelled, true);
  });

  test("is given up when no byte comes for a while", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    let isCancelled = false;
    const slow = request([bytes(10)], { isHanging: true, onCancel: () => (isCancelled = true) });
    const dropped = dropBody(slow, 1000, 100, 5000);
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(99);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isCancelled, false);
    t.mock.timers.tick(1);
    await dropped;
    assert.equal(isCancelled, true);
  });

  test("is given up at the limit of all its pauses", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    let isCancelled = false;
    const slow = request([bytes(10)], { isHanging: true, onCancel: () => (isCancelled = true) });
    const dropped = dropBody(slow, 1000, 1000, 30);
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(30);
    await dropped;
    assert.equal(isCancelled, true);
  });

  test("may end with an error of its sender's", async () => {
    const broken = request([bytes(1)], {
      onRead: () => {
        throw new Error("gone");
      },
    });
    await dropBody(broken, 1000, 1000, 1000);
  });
});

describe("What is left of a body", () => {
  test("is everything before it is read", () => {
    assert.equal(hasUnreadBody(request([bytes(1)]), false), true);
  });

  test("is nothing where there is none, or another reads it", () => {
    assert.equal(hasUnreadBody(new Request("http://localhost/"), true), false);
    const locked = request([bytes(1)]);
    locked.body?.getReader();
    assert.equal(hasUnreadBody(locked, true), false);
  });

  test("is nothing after it was read, unless the request was refused", async () => {
    const read = request([bytes(1)]);
    await read.arrayBuffer();
    assert.equal(hasUnreadBody(read, false), false);
    const refused = request([bytes(1), bytes(1)]);
    const reader = refused.body?.getReader() ?? assert.fail("it has a body");
    await reader.read();
    reader.releaseLock();
    assert.equal(hasUnreadBody(refused, true), true);
  });

  test("is nothing where the sender waits to be asked for it", () => {
    const { body } = request([bytes(1)]);
    // Node lets no request of its own say so.
    const waiting = { body, bodyUsed: false, headers: { get: (name) => (name === "expect" ? "100-Continue" : null) } };
    assert.equal(hasUnreadBody(standIn(waiting), true), false);
  });
});

describe("A body of unknown length", () => {
  test("is read whole up to its limit", async () => {
    assert.deepEqual(await readBody(request([bytes(2), bytes(3)]), 5), bytes(5));
    assert.deepEqual(await readBody(new Request("http://localhost/"), 5), bytes(0));
  });

  test("is left unread beyond it", async () => {
    const long = request([bytes(2), bytes(4), bytes(9)]);
    assert.equal(await readBody(long, 5), undefined);
    assert.equal(hasUnreadBody(long, true), true);
  });
});

describe("Bytes", () => {
  test("are given back at once where they are many", () => {
    const [few, many] = [bytes(16384), bytes(16385)];
    freeBytes(few);
    freeBytes(many);
    assert.deepEqual([few.length, many.length], [16384, 0]);
  });

  test("are read in any encoding that is known", () => {
    assert.equal(textInCharset("iso-8859-1", Uint8Array.of(0xe9)), "é");
    assert.equal(textInCharset("no-such", Uint8Array.of(0xe9)), undefined);
  });
});
