// Invocations: events whose answers come back to whoever waits for them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventHandler } from "../../support/event-handler.mjs";
import { cases } from "../../support/cases.mjs";

export function defineInvoking(kit) {
  test("invokes an event, and receives what its handler answers", async (t) => {
    const handler = await EventHandler.start(t);
    const hub = kit.service.newHub();
    await hub.useHandler(handler);
    const { client, events } = await kit.connect(hub);
    for (const [dataType, sent, body, type, data] of cases([
      ["text", "hi", "hey", "text/plain", "hey"],
      ["json", { a: 1 }, '{"b":[2]}', "application/json", { b: [2] }],
      [
        "binary",
        Uint8Array.of(0, 255).buffer,
        Buffer.from([1, 254]),
        "application/octet-stream",
        Uint8Array.of(1, 254).buffer,
      ],
    ])) {
      handler.answer("user.chat", { headers: { "content-type": type }, body });
      assert.deepEqual(await client.invokeEvent("chat", sent, dataType, { invocationId: dataType }), {
        invocationId: dataType,
        dataType,
        data,
      });
      assert.equal((await handler.next("user.chat")).header("content-type").split(";")[0], type);
    }
    handler.answer("user.chat", { status: 204 });
    assert.equal((await client.invokeEvent("chat", "hi", "text")).data, undefined);
    assert.deepEqual(events.order, ["connected"]);
  });

  test("reports a failed invocation, and may cancel one", async (t) => {
    const handler = await EventHandler.start(t);
    const hub = kit.service.newHub();
    await hub.useHandler(handler);
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
    await assert.rejects(cancelled, {
      name: "InvocationError",
      message: "Invocation cancelled by abortSignal.",
      invocationId: "two",
    });
    release();
    assert.deepEqual(events.order, ["connected"]);
  });
}
