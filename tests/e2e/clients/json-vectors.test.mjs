// The golden vectors of the JSON subprotocol, sent to the service.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { received, readVectors } from "../../support/vectors.mjs";

forEachShardCount(
  "Vectors of the JSON subprotocol",
  (service) => {
    test("every accepted frame is answered as its words say", async () => {
      const hub = service.newHub();
      for (const { name, input, expected } of readVectors("client-json/upstream")) {
        const listener =
          expected.message === "sendToGroup" ? await hub.connect({ groups: [expected.group] }) : undefined;
        const socket = await hub.connect({ roles: ALL_ROLES });
        socket.send(input);
        if (expected.message === "ping") assert.equal(await socket.next(), '{"type":"pong"}', name);
        // No handler takes events here.
        if (expected.message === "invoke") {
          const error = { name: "InternalServerError", message: "Internal server error" };
          assert.deepEqual(
            await socket.json(),
            { type: "invokeResponse", invocationId: expected.invocationId, success: false, error },
            name,
          );
        }
        if (expected.ackId) {
          const outcome = expected.message === "event" ? "false" : "true";
          assert.match(
            String(await socket.next()),
            new RegExp(`^{"type":"ack","ackId":${expected.ackId},"success":${outcome}[,}]`),
            name,
          );
        }
        if (listener) assert.equal(await listener.next(), received(expected), name);
        await socket.expectSilence();
        socket.cut();
        listener?.cut();
      }
    });

    test("every refused frame closes with 1007, after a word about why", async () => {
      const hub = service.newHub();
      for (const { name, input } of readVectors("client-json/upstream-refused")) {
        const socket = await hub.connect({ roles: ALL_ROLES });
        socket.send(input);
        assert.equal((await socket.json()).event, "disconnected", name);
        const reason = "The client message is not a valid JSON protocol message.";
        assert.deepEqual(await socket.closed(), { code: 1007, reason }, name);
      }
    });
  },
  { steady: "it is about one connection" },
);
