// What a large answer costs: its size in memory, and what its client is sent.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { AT_ONCE, startWithHub } from "../support/event-handler.mjs";
import { Service } from "../support/service.mjs";

const SIZE = 15 << 20;
/** How often its size an answer may cost that is read whole and then found to be of no use: 1.6 to 2.5 were seen. */
const MOST_TIMES = 3.5;

test("A large answer is read without copies, whether or not its length is announced", async (t) => {
  const service = new Service({ variables: AT_ONCE, inMemory: true });
  await service.start();
  t.after(() => service.stop());
  const peak = () => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${service.pid}/status`, "utf8"))[1]) * 1024;
  const { handler, hub } = await startWithHub(t, service);
  const alice = await hub.connect();
  let ackId = 0;
  const ask = () => alice.ask({ type: "event", event: "chat", data: 1, ackId: ++ackId });
  for (let n = 0; n < 10; n++) await ask();
  const before = peak();
  for (const headers of [{ "content-length": SIZE }, {}]) {
    handler.answer("user.chat", { headers: { "content-type": "text/html", ...headers }, body: Buffer.alloc(SIZE, "x") });
    assert.equal((await ask()).success, false);
  }
  const times = (peak() - before) / SIZE;
  assert.ok(times < MOST_TIMES, `${times.toFixed(1)} times its size`);
});
