// Our client package in Node, held to what Microsoft's does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadOurClient } from "../support/our-client.mjs";
import { Queue } from "../support/waiting.mjs";
import { defineClientSuite } from "./client-suite.mjs";
import { defineStates, defineStreams } from "./client-suite/streaming.mjs";

defineClientSuite("Our client in Node", await loadOurClient(), [defineRecoveryEvents, defineStreams, defineStates]);

/** Events that Microsoft's client does not have. */
function defineRecoveryEvents(kit) {
  if (!kit.reliable) return;

  test("raises `recovering` and `recovered`", async (t) => {
    const { client, id, link } = await kit.startOverLink(t, kit.service.newHub());
    const raised = new Queue();
    for (const event of ["recovering", "recovered"])
      client.on(event, ({ connectionId }) => raised.push([event, connectionId]));
    for (let times = 0; times < 2; times++) {
      link.cut();
      assert.deepEqual(await raised.next("the event recovering"), ["recovering", id]);
      assert.deepEqual(await raised.next("the event recovered"), ["recovered", id]);
      assert.equal((await client.joinGroup("room")).isDuplicated, false);
    }
  });
}
