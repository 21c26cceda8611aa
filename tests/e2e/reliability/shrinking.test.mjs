// A hub is given fewer shards while Microsoft's clients listen on those that are to go.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import * as microsoft from "@azure/web-pubsub-client";
import * as microsoft11 from "@azure/web-pubsub-client-1.1";
import { ALL_ROLES } from "../../support/hub.mjs";
import { Service } from "../../support/service.mjs";
import { until, within } from "../../support/waiting.mjs";

const CLIENTS = 8;
/** How many messages are published at least while the shards are to go. */
const MESSAGES = 100;
const PACE_MS = 20;
const shardOf = (id) => Buffer.from(id, "base64url").readUInt16BE(1);

async function shardsOf(service, hub) {
  const { body } = await service.manage("GET", `hubs/${hub.name}/shards`);
  return JSON.parse(body)
    .shards.map(({ state }) => state)
    .join();
}

describe("Four shards become one", () => {
  const service = new Service({ shards: 4, variables: { MAP_TTL_MS: 300, RECOVERY_WINDOW_SECONDS: 1 } });
  before(() => service.start());
  after(() => service.stop());

  /** A client of Microsoft's that is in the group `room`, with what it is sent there. */
  async function listen(t, sdk, hub) {
    const client = new sdk.WebPubSubClient(hub.clientUrl({ roles: ALL_ROLES }));
    /** @type {{ client: typeof client, received: number[], ids: string[] }} */
    const listener = { client, received: [], ids: [] };
    client.on("connected", ({ connectionId }) => listener.ids.push(connectionId));
    client.on("group-message", ({ message }) => listener.received.push(Number(message.data)));
    await client.start();
    t.after(() => client.stop());
    await client.joinGroup("room");
    return listener;
  }

  for (const [name, sdk] of Object.entries({ "1.0.4": microsoft, "1.1.0": microsoft11 })) {
    test(`reliable clients (${name}) get all once, in order, connected`, async (t) => {
      const hub = service.newHub();
      const listeners = [];
      const isSpread = () => new Set(listeners.map(({ ids: [id] }) => shardOf(id))).size === 4;
      while (listeners.length < CLIENTS || !isSpread()) listeners.push(await listen(t, sdk, hub));
      let published = 0;
      /** Who publishes a message: servers and clients take turns, those of shards that are to go among them. */
      const publisherOf = (n) => (n % 2 ? "a server" : n % listeners.length);
      async function publish() {
        published++;
        const from = publisherOf(published);
        if (from === "a server") await hub.send("/groups/room", String(published), { type: "application/json" });
        else await listeners[from].client.sendToGroup("room", published, "json");
        await pass(PACE_MS);
      }
      for (let n = 0; n < 10; n++) await publish();
      const resized = hub.configure({ shards: 1 });
      for (let n = 0; n < MESSAGES; n++) await publish();
      await resized;
      assert.equal(await shardsOf(service, hub), "active,draining,draining,draining");
      // Every Worker has forgotten what it knew, as new clients show.
      await until(async () => shardOf((await hub.connect()).id) === 0, "a client on the shard that stays");
      for (let n = 0; n < 10; n++) await publish();

      const all = Array.from({ length: published }, (_, n) => n + 1);
      for (const { received, ids } of listeners) {
        await until(() => pass(1, received.length >= published), "all messages");
        const ascending = received.toSorted((one, other) => one - other);
        assert.deepEqual(ascending, all, "each once");
        // Those of two publishers may overtake each other: what a client says is relayed after its acknowledgement.
        for (const from of new Set(all.map(publisherOf))) {
          const isOf = (n) => publisherOf(n) === from;
          assert.deepEqual(received.filter(isOf), all.filter(isOf), `of ${from}, in order`);
        }
        assert.equal(ids.length, 1, "it has the connection that it began with");
      }

      for (const { client } of listeners) {
        const stopped = new Promise((resolve) => client.on("stopped", resolve));
        client.stop();
        await within(stopped, "the end of a client");
      }
      await until(async () => (await shardsOf(service, hub)) === "active", "the end of the other shards");
    });
  }
});
