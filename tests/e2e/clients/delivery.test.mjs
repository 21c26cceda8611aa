// Everything that can be published reaches every kind of client in its own words, on whichever shard it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const base64 = (bytes) => Buffer.from(bytes).toString("base64");
/** Published data in a JSON frame, and in the frame of a simple client. */
const CASES = [
  { dataType: "text", data: "grüße", simple: "grüße" },
  { dataType: "text", data: "", simple: "" },
  { dataType: "json", data: { a: [1, "x"] }, simple: '{"a":[1,"x"]}' },
  { dataType: "json", data: "quoted", simple: '"quoted"' },
  { dataType: "json", data: 0, simple: "0" },
  { dataType: "json", data: false, simple: "false" },
  { dataType: "binary", data: base64([0, 128, 255]), simple: Buffer.from([0, 128, 255]) },
  { dataType: "binary", data: "", simple: Buffer.alloc(0) },
  { dataType: "protobuf", data: base64([10, 3, 97, 47, 98]), simple: Buffer.from([10, 3, 97, 47, 98]) },
];
const contentTypes = { text: "text/plain", json: "application/json", binary: "application/octet-stream" };

/** `count` connections of each kind, all in the group `room` and spread over the shards. */
async function audience(hub, count) {
  const options = { user: "alice", groups: ["room"] };
  const make = (connect) => Promise.all(Array.from({ length: count }, connect));
  return {
    simple: await make(() => hub.connectSimple(options)),
    plain: await make(() => hub.connect(options)),
    reliable: await make(() => hub.connectReliable(options)),
  };
}

async function expectAll({ simple, plain, reliable }, message, bare, sequenceId) {
  for (const socket of simple) assert.deepEqual(await socket.next(), bare);
  for (const socket of plain) assert.deepEqual(await socket.json(), message);
  for (const socket of reliable) assert.deepEqual(await socket.json(), { ...message, sequenceId });
}

/** The shard's number in a connection id: the two bytes after the first. */
const shardOf = (id) => Buffer.from(id, "base64url").readUInt16BE(1);

forEachShardCount("Delivery", (service) => {
  test("a client's publish reaches every member of the group", async () => {
    const hub = service.newHub();
    const members = await audience(hub, 4);
    const shards = new Set([...members.plain, ...members.reliable].map(({ id }) => shardOf(id)));
    if (!service.grows) assert.ok(service.shards === 1 ? shards.size === 1 : shards.size > 1, `shards ${[...shards]}`);
    const publishers = [
      await hub.connect({ user: "bob", roles: ALL_ROLES }),
      await hub.connectReliable({ user: "bob", roles: ALL_ROLES }),
    ];
    let sequenceId = 0;
    for (const publisher of publishers) {
      for (const { dataType, data, simple } of CASES) {
        publisher.send({ type: "sendToGroup", group: "room", dataType, data });
        const message = { type: "message", from: "group", fromUserId: "bob", group: "room", dataType, data };
        await expectAll(members, message, simple, ++sequenceId);
      }
    }
  });

  test("a server's publish reaches all, the group and the user", async () => {
    const hub = service.newHub();
    const members = await audience(hub, 4);
    let sequenceId = 0;
    for (const { dataType, data, simple } of CASES) {
      const type = contentTypes[dataType];
      if (!type) continue;
      for (const target of ["", "/groups/room", "/users/alice"]) {
        await hub.send(target, simple, { type });
        const from = target === "/groups/room" ? { from: "group", group: "room" } : { from: "server" };
        await expectAll(members, { type: "message", ...from, dataType, data }, simple, ++sequenceId);
      }
    }
  });

  test("a server's publish to one connection finds it on its shard", async () => {
    const hub = service.newHub();
    const { plain, reliable } = await audience(hub, 6);
    for (const socket of [...plain, ...reliable]) {
      await hub.send(`/connections/${socket.id}`, socket.id);
      assert.equal((await socket.json()).data, socket.id);
    }
    await hub.send("", "nothing else came");
    for (const socket of [...plain, ...reliable]) assert.equal((await socket.json()).data, "nothing else came");
  });

  test("two hubs receive nothing from each other", async () => {
    const [one, two] = [service.newHub(), service.newHub()];
    const options = { user: "alice", groups: ["room"], roles: ALL_ROLES };
    const [inOne, inTwo] = [await one.connect(options), await two.connect(options)];
    await one.send("", "to all of one");
    await one.send("/groups/room", "to the room in one");
    await one.send("/users/alice", "to alice in one");
    await two.send(`/connections/${inOne.id}`, "to a stranger");
    assert.equal(await two.exists(`/connections/${inOne.id}`), false);
    inOne.send({ type: "sendToGroup", group: "room", dataType: "text", data: "from one" });
    for (const data of ["to all of one", "to the room in one", "to alice in one", "from one"]) {
      assert.equal((await inOne.json()).data, data);
    }
    await two.send("", "to all of two");
    assert.equal((await inTwo.json()).data, "to all of two");
  });
});
