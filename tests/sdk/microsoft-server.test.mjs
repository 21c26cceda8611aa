// Microsoft's server package, unmodified: only the connection string is ours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { forEachShardCount } from "../support/service.mjs";
import { JSON_V1, Socket } from "../support/socket.mjs";

forEachShardCount("Microsoft's server package", (service) => {
  const server = (hub, connectionString = service.connectionString) =>
    new WebPubSubServiceClient(connectionString, hub.name, { allowInsecureConnection: true });

  test("sends to all, to a user, to a connection and to a group", async () => {
    const hub = service.newHub();
    const sender = server(hub);
    const alice = await hub.connect({ user: "a/lice@example.com", groups: ["the room/1"] });
    const bob = await hub.connect({ user: "bob" });
    await sender.sendToAll("Hello World", { contentType: "text/plain" });
    await sender.sendToAll({ not: "for bob" }, { excludedConnections: [bob.id] });
    await sender.sendToUser("a/lice@example.com", "to alice", { contentType: "text/plain" });
    await sender.sendToConnection(alice.id, new Uint8Array([1, 2]));
    await sender.group("the room/1").sendToAll("to the room", { contentType: "text/plain", messageTtlSeconds: 60 });
    await sender.sendToAll("a JSON string");
    const messages = [
      ["server", "text", "Hello World"],
      ["server", "json", { not: "for bob" }],
      ["server", "text", "to alice"],
      ["server", "binary", "AQI="],
      ["group", "text", "to the room"],
      ["server", "json", "a JSON string"],
    ];
    const next = async (socket) => (({ from, dataType, data }) => [from, dataType, data])(await socket.json());
    for (const message of messages) assert.deepEqual(await next(alice), message);
    assert.deepEqual(await next(bob), messages[0]);
    assert.deepEqual(await next(bob), messages[5]);
  });

  test("asks who is there", async () => {
    const hub = service.newHub();
    const sender = server(hub);
    const alice = await hub.connect({ user: "alice", groups: ["room"] });
    assert.equal(await sender.connectionExists(alice.id), true);
    assert.equal(await sender.connectionExists("nobody"), false);
    assert.equal(await sender.userExists("alice"), true);
    assert.equal(await sender.userExists("bob"), false);
    assert.equal(await sender.groupExists("room"), true);
    assert.equal(await sender.groupExists("other"), false);
  });

  test("makes client URLs that open", async () => {
    const hub = service.newHub();
    const { url } = await server(hub).getClientAccessToken({
      userId: "alice",
      roles: ["webpubsub.joinLeaveGroup"],
      groups: ["room"],
      expirationTimeInMinutes: 5,
    });
    const socket = await Socket.open(url, { protocols: JSON_V1 });
    assert.equal((await socket.json()).userId, "alice");
    assert.equal((await socket.ask({ type: "joinGroup", group: "other", ackId: 1 })).success, true);
    assert.equal(await hub.exists("/groups/room"), true);
  });

  test("is let in with the secondary key, and not with another", async () => {
    const hub = service.newHub();
    const withKey = (key) => server(hub, `Endpoint=${service.endpoint};AccessKey=${key};Version=1.0;`);
    assert.equal(await withKey(service.secondaryKey).userExists("alice"), false);
    await assert.rejects(withKey("another-key-of-forty-eight-characters-or-so-____").userExists("alice"), { statusCode: 401 });
  });

  test("is told what was wrong with a message", async () => {
    const sender = server(service.newHub());
    await assert.rejects(sender.sendToAll("x", { contentType: "text/plain", messageTtlSeconds: 301 }), {
      statusCode: 400,
      code: "Error.BadRequest",
    });
  });
});
