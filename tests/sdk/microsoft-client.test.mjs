// Microsoft's client package, unmodified: the version that ours has the interface of, and the newest.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as microsoft from "@azure/web-pubsub-client";
import * as microsoft11 from "@azure/web-pubsub-client-1.1";
import { EventHandler } from "../support/event-handler.mjs";
import { Queue } from "../support/waiting.mjs";
import { defineClientSuite } from "./client-suite.mjs";
import { TEXT } from "./client-suite/kit.mjs";

defineClientSuite("Microsoft's client", microsoft, [defineProtocols, defineInvocations]);
defineClientSuite("Microsoft's client 1.1", microsoft11, [defineProtocols, defineInvocations, defineStreams]);

/** A protocol of one's own may stand in for the package's: this one tells which kinds of messages pass. */
function defineProtocols(kit) {
  test("pings, and acknowledges what it heard", async () => {
    const hub = kit.service.newHub();
    const inner = kit.makeProtocol();
    const [read, written] = [new Queue(), new Queue()];
    const protocol = {
      name: inner.name,
      isReliableSubProtocol: inner.isReliableSubProtocol,
      parseMessages(input) {
        const message = inner.parseMessages(input);
        read.push(message.kind);
        return message;
      },
      writeMessage(message) {
        written.push(message.kind);
        return inner.writeMessage(message);
      },
    };
    const { client, events } = await kit.connect(hub, {}, { protocol, keepAliveIntervalInMs: 10 });
    assert.equal(await read.next("the first message"), "connected");
    for (let times = 0; times < 3; times++) {
      assert.equal(await written.next("a ping"), "ping");
      assert.equal(await read.next("a pong"), "pong");
    }
    await kit.server(hub).sendToAll("hi", TEXT);
    await events.next("server-message");
    if (kit.reliable) while ((await written.next("an acknowledgement")) !== "sequenceAck");
    assert.equal((await client.joinGroup("room")).isDuplicated, false);
    assert.deepEqual(events.order, ["connected", "server-message"]);
  });
}

/** Events whose answers come back to whoever waits for them. */
function defineInvocations(kit) {
  test("invokes an event, and is told what its handler answers", async (t) => {
    const handler = await EventHandler.start(t);
    const hub = kit.service.newHub();
    await hub.tell(handler);
    const { client, events } = await kit.connect(hub);
    for (const [dataType, sent, body, type, data] of [
      ["text", "hi", "hey", "text/plain", "hey"],
      ["json", { a: 1 }, '{"b":[2]}', "application/json", { b: [2] }],
      ["binary", Uint8Array.of(0, 255).buffer, Buffer.from([1, 254]), "application/octet-stream", Uint8Array.of(1, 254).buffer],
    ]) {
      handler.answer("user.chat", { headers: { "content-type": type }, body });
      assert.deepEqual(await client.invokeEvent("chat", sent, dataType, { invocationId: dataType }), { invocationId: dataType, dataType, data });
      assert.equal((await handler.next("user.chat")).header("content-type").split(";")[0], type);
    }
    handler.answer("user.chat", { status: 204 });
    assert.equal((await client.invokeEvent("chat", "hi", "text")).data, undefined);
    assert.deepEqual(events.order, ["connected"]);
  });

  test("is told that an invocation failed, and may cancel it", async (t) => {
    const handler = await EventHandler.start(t);
    const hub = kit.service.newHub();
    await hub.tell(handler);
    const { client, events } = await kit.connect(hub);
    handler.answer("user.chat", { status: 400 });
    const failed = { name: "InvocationError", message: "Internal server error", invocationId: "one" };
    const error = await client.invokeEvent("chat", "hi", "text", { invocationId: "one" }).catch((error) => error);
    assert.deepEqual((({ name, message, invocationId }) => ({ name, message, invocationId }))(error), failed);
    assert.equal(error.errorDetail.name, "InternalServerError");

    const release = handler.hold("user.slow");
    const controller = new AbortController();
    const cancelled = client.invokeEvent("slow", "hi", "text", { invocationId: "two", abortSignal: controller.signal });
    await handler.next("user.slow");
    controller.abort();
    await assert.rejects(cancelled, { name: "InvocationError", message: "Invocation cancelled by abortSignal.", invocationId: "two" });
    release();
    assert.deepEqual(events.order, ["connected"]);
  });
}

/** The service does not know streams, and closes the connection of whoever opens one. */
function defineStreams(kit) {
  test("fails to open a stream, and connects again", async () => {
    const { client, events, id } = await kit.connect(kit.service.newHub());
    const subscription = client.onGroupStream(() => assert.fail("there are no streams"));
    await assert.rejects(client.openGroupStream("room"), /^Error: Stream .* connection/);
    assert.notEqual((await events.next("connected")).connectionId, id);
    subscription.close();
    assert.equal(subscription.isActive, false);
  });
}
