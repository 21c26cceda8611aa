// The service is asked to end and started again; client packages come back, whoever wrote them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as microsoft from "@azure/web-pubsub-client";
import * as microsoft11 from "@azure/web-pubsub-client-1.1";
import { loadOurClient } from "../support/our-client.mjs";
import { Service } from "../support/service.mjs";
import { Queue } from "../support/waiting.mjs";

describe("A service that is asked to end", () => {
  const service = new Service();
  before(() => service.start());
  after(() => service.stop());

  test("is found again by every client package, plain or reliable", async () => {
    const hub = service.newHub();
    const clients = [];
    for (const [title, sdk] of Object.entries({
      "Microsoft's 1.0": microsoft,
      "Microsoft's 1.1": microsoft11,
      ours: await loadOurClient(),
    })) {
      for (const reliable of [true, false]) {
        const protocol = reliable ? sdk.WebPubSubJsonReliableProtocol() : sdk.WebPubSubJsonProtocol();
        const client = new sdk.WebPubSubClient(
          { getClientAccessUrl: () => hub.clientUrl({ user: "u" }) },
          { protocol },
        );
        const events = { connected: new Queue(), disconnected: 0, received: new Queue() };
        client.on("connected", ({ connectionId }) => events.connected.push(connectionId));
        client.on("disconnected", () => events.disconnected++);
        client.on("server-message", ({ message }) => events.received.push(message.data));
        await client.start();
        clients.push({
          what: `${title}, ${reliable ? "reliable" : "plain"}`,
          reliable,
          client,
          events,
          id: await events.connected.next("a connection"),
        });
      }
    }
    await hub.send("", "before");
    for (const { what, events } of clients) assert.equal(await events.received.next(what), "before", what);

    assert.equal(await service.end(), 0);
    await service.start();
    // A client that was not reliable receives what is sent once it is there again.
    for (const { what, reliable, events, id } of clients) {
      if (!reliable) assert.notEqual(await events.connected.next(what), id, what);
    }
    await hub.send("", "after");
    for (const { what, events } of clients) assert.equal(await events.received.next(what), "after", what);
    for (const { what, reliable, events, id } of clients) {
      assert.equal(events.disconnected, reliable ? 0 : 1, what);
      if (reliable) assert.equal(await hub.exists(`/connections/${id}`), true, what);
    }
    for (const { client } of clients) client.stop();
  });
});
