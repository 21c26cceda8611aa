// Microsoft's server package, unmodified: only the connection string is ours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { odata, WebPubSubServiceClient } from "@azure/web-pubsub";
import { MqttJs } from "../support/devices/mqtt-js.mjs";
import { forEachRunner } from "../support/service.mjs";
import { JSON_V1, Socket } from "../support/socket.mjs";
import { cases } from "../support/cases.mjs";

forEachRunner("Microsoft's server package", suite);

/** @typedef {import("@azure/web-pubsub").Permission} Permission */

function suite(service) {
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
    assert.equal(await sender.connectionExists("unknown"), false);
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

  test("makes client URLs of MQTT that open", async () => {
    const hub = service.newHub();
    const { url } = await server(hub).getClientAccessToken({
      clientProtocol: "mqtt",
      userId: "alice",
      roles: ["webpubsub.joinLeaveGroup"],
      groups: ["room"],
    });
    const device = new MqttJs().device();
    await device.connect(url, { version: 5, id: "device1" });
    await server(hub).group("room").sendToAll("to the room", text);
    const { topic, payload } = await device.message();
    assert.deepEqual([topic, payload.toString()], ["room", "to the room"]);
    assert.equal(await device.subscribe("other", { qos: 1 }), 1);
    assert.equal(await server(hub).userExists("alice"), true);
    assert.equal(await server(hub).connectionExists("device1"), true);
    await server(hub).closeConnection("device1", { reason: "enough" });
    assert.equal((await device.left()).code, 0x98);
  });

  const text = /** @type {const} */ ({ contentType: "text/plain" });

  /** Fails unless these texts are all that each of the connections receives. */
  async function expectTexts(expected) {
    for (const [socket, texts] of expected) {
      for (const data of texts) assert.equal((await socket.json()).data, data);
      await socket.expectSilence();
    }
  }

  async function members(group, options) {
    const list = [];
    for await (const member of await group.listConnections(options)) list.push(member);
    return list;
  }
  const idsOf = (list) => list.map(({ connectionId }) => connectionId);
  const sorted = (...sockets) => sockets.map(({ id }) => id).sort();

  test("leaves out connections that are excluded or filtered out", async () => {
    const hub = service.newHub();
    const sender = server(hub);
    const alice = await hub.connect({ user: "alice", groups: ["room"] });
    const alsoAlice = await hub.connect({ user: "alice" });
    const irish = await hub.connect({ user: "O'Brien, Jane", groups: ["room", "other"] });
    const anonymous = await hub.connect({ groups: ["room"] });
    await sender.sendToAll("to Jane", { ...text, filter: odata`userId eq ${"O'Brien, Jane"}` });
    await sender.sendToAll("to some of the room", {
      ...text,
      filter: "'room' in groups",
      excludedConnections: [alice.id],
    });
    await sender.sendToUser("alice", "to alice elsewhere", { ...text, filter: "length(groups) eq 0" });
    await sender.group("room").sendToAll("to the nameless", { ...text, filter: "userId eq null" });
    await sender.group("room").sendToAll("to the others", { ...text, excludedConnections: [alice.id, anonymous.id] });
    await expectTexts([
      [alice, []],
      [alsoAlice, ["to alice elsewhere"]],
      [irish, ["to Jane", "to some of the room", "to the others"]],
      [anonymous, ["to some of the room", "to the nameless"]],
    ]);
  });

  test("reads a filter's fault from the error, as live tests do", async () => {
    const sender = server(service.newHub());
    const options = { contentType: "text/plain", filter: "invalid filter" };
    for (const call of [
      () => sender.sendToAll("hello", options),
      () => sender.sendToUser("brian", "hello", options),
      () => sender.group("room").sendToAll("hello", options),
      () => sender.addConnectionsToGroups(["group1", "group2"], "invalid filter"),
      () => sender.removeConnectionsFromGroups(["group1", "group2"], "invalid filter"),
    ]) {
      const error = await call().then(
        () => assert.fail(`${call}`),
        (error) => error,
      );
      assert.deepEqual([error.name, error.statusCode], ["RestError", 400], `${call}`);
      const message =
        "Invalid syntax for 'invalid filter': Syntax error at position 14 in 'invalid filter'. (Parameter 'filter')";
      assert.equal(JSON.parse(error.message).message, message, `${call}`);
    }
  });

  test("reports which check a token did not pass", async () => {
    const hub = service.newHub();
    const wrong = server(
      hub,
      service.connectionString.replace(service.key, "another-key-of-forty-eight-characters-or-so-____"),
    );
    const message = "The access token's signature is invalid: no access key of this service made it.";
    await assert.rejects(wrong.sendToAll("x"), {
      name: "RestError",
      statusCode: 401,
      code: "Error.Unauthorized",
      message,
    });
  });

  test("a permission without a group is refused as on Azure", async () => {
    const message = "Invalid group name. Valid group name should be in between 1 and 1024 characters long.";
    for (const change of ["grantPermission", "revokePermission"]) {
      const asked = server(service.newHub())[change]("invalid-id", "joinLeaveGroup");
      await assert.rejects(asked, { statusCode: 400, code: "Error.BadRequest", message });
    }
  });

  for (const [target, close] of cases([
    ["one connection", (sender, { id }, options) => sender.closeConnection(id, options)],
    ["a user's connections", (sender, _, options) => sender.closeUserConnections("a/lice", options)],
    ["a group's connections", (sender, _, options) => sender.group("the room/1").closeAllConnections(options)],
  ])) {
    test(`closes ${target} with a reason, and no other`, async () => {
      const hub = service.newHub();
      const sender = server(hub);
      const bob = await hub.connect({ user: "bob", groups: ["room"] });
      for (const options of [{ reason: "Änderung: 100% & more?" }, undefined]) {
        const alice = await hub.connect({ user: "a/lice", groups: ["the room/1"] });
        await close(sender, alice, options);
        await alice.expectClosedByServer(options?.reason);
        assert.equal(await sender.connectionExists(alice.id), false);
        await close(sender, alice, options);
      }
      await bob.expectSilence();
    });
  }

  test("closes all connections, with a reason", async () => {
    const hub = service.newHub();
    const sockets = [
      await hub.connect({ user: "alice" }),
      await hub.connectReliable(),
      await hub.connect({ groups: ["room"] }),
    ];
    await server(hub).closeAllConnections({ reason: "the end" });
    for (const socket of sockets) await socket.expectClosedByServer("the end");
    assert.equal(await hub.exists("/users/alice"), false);
    await server(hub).closeAllConnections();
  });

  test("puts connections and users into a group and out of it", async () => {
    const hub = service.newHub();
    const room = server(hub).group("the room/1");
    const alice = await hub.connect({ user: "alice" });
    const bob = [await hub.connect({ user: "b/ob" }), await hub.connectReliable({ user: "b/ob" })];
    const expectMembers = async (...sockets) => assert.deepEqual(idsOf(await members(room)), sorted(...sockets));
    await room.addConnection(alice.id);
    await room.addConnection(alice.id);
    await room.addUser("b/ob");
    await expectMembers(alice, ...bob);
    await room.removeConnection(bob[0].id);
    await expectMembers(alice, bob[1]);
    await room.removeUser("b/ob");
    await expectMembers(alice);
    await room.sendToAll("to the member", text);
    await expectTexts([
      [alice, ["to the member"]],
      [bob[0], []],
      [bob[1], []],
    ]);

    await assert.rejects(room.addConnection("unknown"), { statusCode: 404, code: "Error.Connection.NotExisted" });
    await assert.rejects(room.addUser("unknown"), { statusCode: 404, code: "Error.User.NotExisted" });
    await room.removeConnection("unknown");
    await room.removeUser("unknown");
    await expectMembers(alice);
  });

  test("takes a connection and a user out of all groups", async () => {
    const hub = service.newHub();
    const sender = server(hub);
    const alice = await hub.connect({ user: "alice", groups: ["one", "two"] });
    const alsoAlice = await hub.connect({ user: "alice", groups: ["one", "three"] });
    const bob = await hub.connect({ user: "bob", groups: ["one"] });
    const inOne = async () => idsOf(await members(sender.group("one")));
    await sender.removeConnectionFromAllGroups(alice.id);
    assert.deepEqual(await inOne(), sorted(alsoAlice, bob));
    assert.equal(await sender.groupExists("two"), false);
    await sender.removeUserFromAllGroups("alice");
    assert.deepEqual(await inOne(), [bob.id]);
    assert.equal(await sender.groupExists("three"), false);
    await sender.removeConnectionFromAllGroups("unknown");
    await sender.removeUserFromAllGroups("unknown");
    assert.equal(await sender.userExists("alice"), true);
  });

  test("adds the connections of a filter to groups and removes them", async () => {
    const hub = service.newHub();
    const sender = server(hub);
    const [alice, bob, anonymous] = [
      await hub.connect({ user: "alice" }),
      await hub.connectReliable({ user: "bob" }),
      await hub.connect(),
    ];
    const expectMembers = async (group, ...sockets) =>
      assert.deepEqual(idsOf(await members(sender.group(group))), sorted(...sockets), group);
    await sender.addConnectionsToGroups(["red", "blue"], odata`userId in (${"alice"}, ${"bob"})`);
    await sender.addConnectionsToGroups(["blue", "green"], "true");
    await expectMembers("red", alice, bob);
    await expectMembers("blue", alice, bob, anonymous);
    await expectMembers("green", alice, bob, anonymous);
    await sender.removeConnectionsFromGroups(["blue", "green"], "not ('red' in groups)");
    await expectMembers("blue", alice, bob);
    await sender.removeConnectionsFromGroups(["red", "green", "never"], odata`connectionId eq ${bob.id}`);
    await expectMembers("red", alice);
    await expectMembers("green", alice);
    await sender.removeConnectionsFromGroups(["red", "blue", "green"], "true");
    for (const group of ["red", "blue", "green"]) await expectMembers(group);
    await assert.rejects(sender.addConnectionsToGroups(["red"], "userId"), { statusCode: 400 });
  });

  test("lists a group's members: all, the first few, or by pages", async () => {
    const hub = service.newHub();
    const room = server(hub).group("the room/1");
    assert.deepEqual(await members(room), []);
    const users = ["alice", "bob", undefined, "alice", "carol"];
    const sockets = await Promise.all(users.map((user) => hub.connect({ user, groups: ["the room/1"] })));
    const ids = sorted(...sockets);
    const list = await members(room);
    assert.deepEqual(idsOf(list), ids);
    const userOf = new Map(list.map(({ connectionId, userId }) => [connectionId, userId ?? undefined]));
    for (const [at, { id }] of sockets.entries()) assert.equal(userOf.get(id), users[at]);

    assert.deepEqual(idsOf(await members(room, { top: 3 })), ids.slice(0, 3));
    assert.deepEqual(idsOf(await members(room, { maxPageSize: 2 })), ids);
    assert.deepEqual(idsOf(await members(room, { maxPageSize: 2, top: 3 })), ids.slice(0, 3));
    const pages = [];
    for await (const page of (await room.listConnections({ maxPageSize: 2 })).byPage()) pages.push(page);
    assert.deepEqual(pages.map(idsOf), [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
  });

  test("grants permissions, asks for them and takes them back", async () => {
    const hub = service.newHub();
    const sender = server(hub);
    const alice = await hub.connect({ user: "alice" });
    let ackId = 0;
    for (const [permission, type] of /** @type {[Permission, string][]} */ ([
      ["joinLeaveGroup", "joinGroup"],
      ["sendToGroup", "sendToGroup"],
    ])) {
      const has = (targetName) => sender.hasPermission(alice.id, permission, { targetName });
      const may = async (group) =>
        (await alice.ask({ type, group, dataType: "text", data: "hi", noEcho: true, ackId: ++ackId })).success;
      const expectAllowed = async (allowed) =>
        assert.deepEqual([await has("the room/1"), await may("the room/1")], [allowed, allowed], permission);
      await expectAllowed(false);
      await sender.grantPermission(alice.id, permission, { targetName: "the room/1" });
      await expectAllowed(true);
      assert.deepEqual([await has("other"), await may("other")], [false, false]);
      await sender.revokePermission(alice.id, permission, { targetName: "the room/1" });
      await expectAllowed(false);
      await assert.rejects(sender.grantPermission("unknown", permission, { targetName: "room" }), {
        statusCode: 404,
        code: "Info.Connection.NotExisted",
      });
      await sender.revokePermission("unknown", permission, { targetName: "room" });
      assert.equal(await sender.hasPermission("unknown", permission, { targetName: "room" }), false);
    }
  });

  test("is let in with the secondary key, and not with another", async () => {
    const hub = service.newHub();
    const withKey = (key) => server(hub, `Endpoint=${service.endpoint};AccessKey=${key};Version=1.0;`);
    assert.equal(await withKey(service.secondaryKey).userExists("alice"), false);
    await assert.rejects(withKey("another-key-of-forty-eight-characters-or-so-____").userExists("alice"), {
      statusCode: 401,
    });
  });

  test("receives what was wrong with a message", async () => {
    const sender = server(service.newHub());
    await assert.rejects(sender.sendToAll("x", { contentType: "text/plain", messageTtlSeconds: 301 }), {
      statusCode: 400,
      code: "Error.BadRequest",
    });
  });
}
