// How a server's close comes through: its frame at once, the end of the transport as the platform has it.
import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount, isNative } from "../../support/service.mjs";
import { JSON_V1, RELIABLE_V1 } from "../../support/socket.mjs";
import { deferred, within } from "../../support/waiting.mjs";

forEachShardCount("A server's close", (service) => {
  async function connect(hub) {
    const [open, framed, ended] = [deferred(), deferred(), deferred()];
    const socket = new WebSocket(hub.clientUrl({ user: "alice" }), JSON_V1, { perMessageDeflate: false });
    socket.on("open", () => {
      // Its parser, which says that a close frame has come before the socket does.
      const { _receiver: receiver } = /** @type {{ _receiver: import("node:stream").Writable }} */ (
        /** @type {unknown} */ (socket)
      );
      receiver.on("conclude", framed.resolve);
      open.resolve();
    });
    socket.on("error", open.reject).on("close", ended.resolve);
    await within(open.promise, "a connection");
    return {
      socket,
      framed: within(framed.promise, "a close frame"),
      ended: within(ended.promise, "the end of a transport"),
    };
  }

  test("ends a client's transport, or brings a quiet one its frame", async () => {
    const hub = service.newHub();
    const [silent, speaking] = [await connect(hub), await connect(hub)];
    speaking.socket.send('{"type":"ping"}');
    const order = [];
    for (const [name, promise] of Object.entries({
      "frame to the silent": silent.framed,
      "end of the speaking": speaking.ended,
      "end of the silent": silent.ended,
    })) {
      promise.then(() => order.push(name));
    }
    assert.equal((await hub.rest("POST", "/users/alice/:closeConnections")).status, 204);
    await Promise.all([silent.ended, speaking.ended, silent.framed]);
    // The platform keeps the transport of a client that has never sent anything until its object sleeps.
    if (!isNative) assert.equal(order.at(-1), "end of the silent", order.join());
  });
});

forEachShardCount("A client's close", (service) => {
  for (const protocol of [JSON_V1, RELIABLE_V1]) {
    test(`is answered after everything that it sent before: ${protocol}`, async () => {
      const hub = service.newHub();
      const client = await hub.connect({ protocol, roles: ALL_ROLES, groups: ["g"] });
      for (let ackId = 1; ackId <= 20; ackId++) client.send({ type: "joinGroup", group: `g${ackId}`, ackId });
      assert.deepEqual(await client.close(4001, "bye"), { code: 4001, reason: "bye" });
      for (let ackId = 1; ackId <= 20; ackId++)
        assert.deepEqual(await client.json(), { type: "ack", ackId, success: true });
    });
  }

  test("is done when a request comes after it", async () => {
    const hub = service.newHub();
    for (const protocol of [JSON_V1, RELIABLE_V1]) {
      const client = await hub.connect({ protocol, groups: ["g"] });
      await client.close(1000, "");
      assert.equal(await hub.exists(`/connections/${client.id}`), false);
    }
  });
});
