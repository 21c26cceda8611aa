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
import { until } from "../support/waiting.mjs";

const { WebPubSubClient } = npmPackage;

/** The memories of the package's WebAssembly: they can grow, and never shrink. */
const memories = [];
const wasm = /** @type {any} */ (WebAssembly);
const { instantiate } = wasm;
wasm.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  memories.push(...Object.values(instance.exports).filter((exported) => exported instanceof wasm.Memory));
  return instance;
};
const memorySize = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);

/** What a program may pass by mistake: nothing that can be listened to, and nothing that can be left alone again. */
const NO_SIGNALS = /** @type {any[]} */ ([{}, { addEventListener() {} }]);

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
    async refused() {
      const client = new WebPubSubClient(noServer);
      for (const abortSignal of NO_SIGNALS) await assert.rejects(client.start({ abortSignal }), TypeError);
      return client;
    },
    async refusedLater() {
      const client = await started();
      service.answer = (connection, { stream, ackId }) => {
        if (stream) connection.say({ type: "streamAck", streamId: stream.streamId, expectedSequenceId: 1 });
        if (ackId !== undefined) connection.ack(ackId);
      };
      const writer = await client.openGroupStream("g");
      for (const abortSignal of NO_SIGNALS) {
        await assert.rejects(client.joinGroup("g", { abortSignal }), { name: "SendMessageError" });
        await assert.rejects(client.invokeEvent("e", "", "text", { abortSignal }), { name: "InvocationError" });
        await assert.rejects(writer.write("", "text", { abortSignal }), TypeError);
      }
      const stopped = new Promise((resolve) => client.on("stopped", resolve));
      client.stop();
      await stopped;
      return client;
    },
  };
  /** A reference to a client that is there as long as anything has its listeners. */
  const reference = (client) => {
    client.on("stopped", () => client);
    return new WeakRef(client);
  };
  for (const [name, one] of Object.entries(make)) {
    const references = [];
    // The newest one may still be on somebody's stack.
    for (let i = 0; i < 10; i++) references.push(reference(await one()));
    assert.ok(await areCollected(references.slice(0, -2)), name);
  }
  const running = reference(await started());
  assert.equal(await areCollected([running]), false);
  running.deref().stop();
});

/** What keeps the process alive, and what a client makes: timers and sockets. */
const resources = () => process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|TCPSocket/.test(name));

test("a thousand starts and stops leave nothing behind", async (t) => {
  const service = await ScriptedService.start();
  t.after(() => service.stop());
  const live = async (client) => {
    let stop = () => {};
    const stopped = new Promise((resolve) => (stop = () => resolve(undefined)));
    client.on("stopped", stop);
    const [connection] = await Promise.all([service.connection(), client.start()]);
    const closed = once(connection.socket, "close");
    connection.connected();
    await client.joinGroup("g");
    await client.sendToGroup("g", { any: "thing" }, "json");
    connection.drop();
    const again = await service.connection();
    const gone = once(again.socket, "close");
    client.stop();
    await Promise.all([stopped, closed, gone]);
    client.off("stopped", stop);
  };
  const one = new WebPubSubClient(service.url);
  // As many as are there at once without having been collected.
  for (let n = 0; n < 50; n++) await live(n % 2 === 0 ? one : new WebPubSubClient(service.url));
  await setTimeout(5);
  gc();
  const before = { memory: memorySize(), resources: resources() };
  for (let n = 0; n < 1000; n++) {
    await live(n % 2 === 0 ? one : new WebPubSubClient(service.url));
    if (n % 50 !== 0) continue;
    await setTimeout(1);
    gc();
  }
  await setTimeout(5);
  gc();
  await until(() => setTimeout(1, resources().length <= before.resources.length), "the end of timers and sockets");
  assert.equal(memorySize(), before.memory);
  assert.ok(memories.length > 0);
});
