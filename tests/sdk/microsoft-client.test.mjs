// Microsoft's client package, unmodified: the version that ours has the interface of, and the newest.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as microsoft from "@azure/web-pubsub-client";
import * as microsoft11 from "@azure/web-pubsub-client-1.1";
import { Queue } from "../support/waiting.mjs";
import { defineClientSuite } from "./client-suite.mjs";
import { TEXT } from "./client-suite/kit.mjs";
import { defineStreams } from "./client-suite/streaming.mjs";

defineClientSuite("Microsoft's client", microsoft, [defineProtocols]);
defineClientSuite("Microsoft's client 1.1", microsoft11, [defineProtocols, defineStreams]);

/** A protocol of one's own may stand in for the package's: this one records which kinds of messages pass. */
function defineProtocols(kit) {
  test("pings, and acknowledges what it received", async () => {
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
