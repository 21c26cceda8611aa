// How a server's close comes through: its frame at once, the end of the transport as the platform has it.
import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { forEachShardCount } from "../support/service.mjs";
import { JSON_V1 } from "../support/socket.mjs";
import { deferred, within } from "../support/waiting.mjs";

forEachShardCount("A server's close", (service) => {
  async function connect(hub) {
    const [open, framed, ended] = [deferred(), deferred(), deferred()];
    const socket = new WebSocket(hub.clientUrl({ user: "alice" }), JSON_V1, { perMessageDeflate: false });
    socket.on("open", () => {
      socket._receiver.on("conclude", framed.resolve);
      open.resolve();
    });
    socket.on("error", open.reject).on("close", ended.resolve);
    await within(open.promise, "a connection");
    return { socket, framed: within(framed.promise, "a close frame"), ended: within(ended.promise, "the end of a transport") };
  }

  test("ends the transport of a client that has spoken, and brings its frame to one that has not", async () => {
    const hub = service.newHub();
    const [silent, speaking] = [await connect(hub), await connect(hub)];
    speaking.socket.send('{"type":"ping"}');
    const order = [];
    for (const [name, promise] of Object.entries({ "frame to the silent": silent.framed, "end of the speaking": speaking.ended, "end of the silent": silent.ended })) {
      promise.then(() => order.push(name));
    }
    assert.equal((await hub.rest("POST", "/users/alice/:closeConnections")).status, 204);
    await Promise.all([silent.ended, speaking.ended, silent.framed]);
    // The platform keeps the transport of a client that has never sent anything until its object sleeps.
    assert.equal(order.at(-1), "end of the silent", order.join());
  });
});
