// What goes on keeps a client alive, and nothing else does.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { npmPackage } from "./harness.mjs";
import { ScriptedService } from "./scripted-service.mjs";
import { portOf } from "../support/port.mjs";

const { WebPubSubClient } = npmPackage;
setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

async function areCollected(references) {
  for (let tries = 0; tries < 50; tries++) {
    // Looking at a reference keeps it for the rest of the turn.
    await setTimeout(5);
    gc();
    await setTimeout(5);
    if (references.every((reference) => reference.deref() === undefined)) return true;
  }
  return false;
}

test("an unreferenced client is collected, unless it is running", async (t) => {
  const service = await ScriptedService.start();
  t.after(() => service.stop());
  const closed = createServer();
  await once(closed.listen(0, "127.0.0.1"), "listening");
  const noServer = `ws://127.0.0.1:${portOf(closed)}`;
  closed.close();

  const started = async () => {
    const client = new WebPubSubClient(service.url);
    const [connection] = await Promise.all([service.connection(), client.start()]);
    connection.connected();
    await client.joinGroup("g");
    return client;
  };
  const make = {
    async unused() {
      return new WebPubSubClient(service.url);
    },
    async stopped() {
      const client = await started();
      const stopped = new Promise((resolve) => client.on("stopped", resolve));
      client.stop();
      await stopped;
      return client;
    },
    async streamed() {
      const client = await started();
      service.answer = (connection, { stream, ackId }) => {
        if (stream) connection.say({ type: "streamAck", streamId: stream.streamId, expectedSequenceId: 1 });
        if (ackId !== undefined) connection.ack(ackId);
      };
      const writer = await client.openGroupStream("g");
      await writer.write("a", "text");
      client.onGroupStream(() => {});
      await client.subscribeGroupStates("g");
      const stopped = new Promise((resolve) => client.on("stopped", resolve));
      client.stop();
      await stopped;
      return client;
    },
    async failed() {
      const client = new WebPubSubClient(noServer);
      await client.start().catch(() => {});
      return client;
    },
  };
  for (const [name, one] of Object.entries(make)) {
    const references = [];
    // The newest one may still be on somebody's stack.
    for (let i = 0; i < 10; i++) references.push(new WeakRef(await one()));
    assert.ok(await areCollected(references.slice(0, -2)), name);
  }
  const running = new WeakRef(await started());
  assert.equal(await areCollected([running]), false);
  running.deref().stop();
});
