// What a client package does against the service, whoever wrote it: Microsoft's and ours have one interface.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { Events } from "../support/events.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { Link } from "../support/link.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { clientClaims, sign } from "../support/token.mjs";
import { within } from "../support/waiting.mjs";

const NO_RETRY = { maxRetries: 0 };
const SOON = { retryDelayInMs: 100, maxRetryDelayInMs: 100 };

/** Defines the suite for a package: its `WebPubSubClient` and its two JSON protocols. */
export function defineClientSuite(title, { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol }) {
  forEachShardCount(title, (service) => {
    const started = [];
    // While the service is still there: Microsoft's client does not end an attempt to reconnect when it is stopped.
    afterEach(async () => {
      for (const { client, stopped } of started.splice(0)) {
        client.stop();
        await within(stopped, "the event stopped");
      }
    });

    async function start(url, protocol) {
      const client = new WebPubSubClient(url, { protocol, messageRetryOptions: NO_RETRY, reconnectRetryOptions: SOON });
      const events = new Events(client);
      const stopped = new Promise((resolve) => client.on("stopped", resolve));
      await client.start();
      started.push({ client, stopped });
      const { connectionId, userId } = await events.next("connected");
      return { client, events, id: connectionId, userId };
    }

    for (const [name, makeProtocol] of [
      ["JSON", WebPubSubJsonProtocol],
      ["reliable JSON", WebPubSubJsonReliableProtocol],
    ]) {
      describe(name, () => {
        const connect = (hub, options = {}) => start(hub.clientUrl({ roles: ALL_ROLES, ...options }), makeProtocol());
        const server = (hub) => new WebPubSubServiceClient(service.connectionString, hub.name, { allowInsecureConnection: true });

        test("connects, and learns who it is", async () => {
          const hub = service.newHub();
          const alice = await connect(hub, { user: "alice" });
          assert.equal(alice.userId, "alice");
          assert.equal(await hub.exists(`/connections/${alice.id}`), true);
        });

        test("hears a server's messages of every type", async () => {
          const hub = service.newHub();
          const { events, id } = await connect(hub, { user: "alice", groups: ["room"] });
          const sender = server(hub);
          await sender.sendToAll("Hello World", { contentType: "text/plain" });
          await sender.sendToUser("alice", { order: 42 });
          await sender.sendToConnection(id, new Uint8Array([1, 2, 255]));
          await sender.group("room").sendToAll("to the room", { contentType: "text/plain" });
          const kind = "serverData";
          assert.deepEqual(await events.message("server-message"), { kind, dataType: "text", data: "Hello World" });
          assert.deepEqual(await events.message("server-message"), { kind, dataType: "json", data: { order: 42 } });
          assert.deepEqual(await events.message("server-message"), { kind, dataType: "binary", data: [1, 2, 255] });
          const { group, dataType, data } = await events.message("group-message");
          assert.deepEqual([group, dataType, data], ["room", "text", "to the room"]);
        });

        test("joins, sends, hears itself and others, and leaves", async () => {
          const hub = service.newHub();
          const [alice, bob] = [await connect(hub, { user: "alice" }), await connect(hub, { user: "bob" })];
          for (const { client } of [alice, bob]) assert.equal((await client.joinGroup("room")).isDuplicated, false);
          await alice.client.sendToGroup("room", "hi", "text");
          await alice.client.sendToGroup("room", { a: [1] }, "json", { noEcho: true });
          await alice.client.sendToGroup("room", new Uint8Array([0, 255]).buffer, "binary", { fireAndForget: true });
          const from = { kind: "groupData", group: "room", fromUserId: "alice" };
          const [text, json, binary] = [
            { ...from, dataType: "text", data: "hi" },
            { ...from, dataType: "json", data: { a: [1] } },
            { ...from, dataType: "binary", data: [0, 255] },
          ];
          for (const message of [text, json, binary]) assert.deepEqual(await bob.events.message("group-message"), message);
          for (const message of [text, binary]) assert.deepEqual(await alice.events.message("group-message"), message);

          await bob.client.leaveGroup("room");
          await alice.client.sendToGroup("room", "gone?", "text");
          await server(hub).sendToAll("last", { contentType: "text/plain" });
          assert.equal((await bob.events.message("server-message")).data, "last");
          assert.equal(bob.events.order.filter((name) => name === "group-message").length, 3);
        });

        test("is told what was refused", async () => {
          const hub = service.newHub();
          const { client } = await connect(hub, { roles: ["webpubsub.sendToGroup"] });
          const refused = (name, message, ackId) => (error) => {
            assert.equal(error.name, "SendMessageError");
            assert.deepEqual([error.errorDetail.name, error.errorDetail.message, error.ackId], [name, message, ackId]);
            return true;
          };
          await assert.rejects(
            client.joinGroup("room", { ackId: 11 }),
            refused("Forbidden", "The client does not have permission to join group 'room'.", 11),
          );
          await assert.rejects(
            client.sendEvent("chat", "hi", "text", { ackId: 12 }),
            refused("InternalServerError", "Internal server error", 12),
          );
          assert.deepEqual(await client.sendToGroup("room", "hi", "text", { ackId: 13 }), { ackId: 13, isDuplicated: false });
          assert.deepEqual(await client.sendToGroup("room", "hi", "text", { ackId: 13 }), { ackId: 13, isDuplicated: true });
        });

        test("stops when it is told to", async () => {
          const hub = service.newHub();
          const { client, events } = await connect(hub);
          client.stop();
          await events.next("stopped");
          assert.deepEqual(events.order.slice(-2), ["disconnected", "stopped"]);
          await assert.rejects(client.joinGroup("room"));
        });

        test("connects again after a drop, and joins its groups again", async () => {
          const hub = service.newHub();
          const link = await Link.to(service);
          const audience = `${link.endpoint}/client/hubs/${hub.name}`;
          const token = sign(clientClaims({ audience, user: "alice", roles: ALL_ROLES }), service.key);
          const { client, events, id } = await start(`${audience.replace("http", "ws")}?access_token=${token}`, makeProtocol());
          await client.joinGroup("room");
          link.cut();
          assert.equal((await events.next("disconnected")).connectionId, id);
          assert.notEqual((await events.next("connected")).connectionId, id);
          await server(hub).group("room").sendToAll("welcome back", { contentType: "text/plain" });
          assert.equal((await events.message("group-message")).data, "welcome back");
          client.stop();
          link.close();
        });

        test("does not start with a token that is refused, or where nobody listens", async () => {
          const hub = service.newHub();
          const nowhere = hub.clientUrl().replace(/:\d+\//, ":9/");
          for (const url of [hub.url, `${hub.url}?access_token=no`, hub.clientUrl({ minutes: -60 }), nowhere]) {
            const client = new WebPubSubClient(url, { protocol: makeProtocol() });
            await assert.rejects(client.start(), Error, url);
          }
        });
      });
    }
  });
}
