// What a client receives, and which listeners are called.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TEXT } from "./kit.mjs";

export function defineReceiving(kit) {
  const newHub = () => kit.service.newHub();

  test("receives a server's messages of every type", async () => {
    const hub = newHub();
    const { events, id } = await kit.connect(hub, { user: "alice", groups: ["room"] });
    const sender = kit.server(hub);
    await sender.sendToAll("Hello World", TEXT);
    await sender.sendToUser("alice", { order: 42 });
    await sender.sendToConnection(id, new Uint8Array([1, 2, 255]));
    await sender.group("room").sendToAll("to the room", TEXT);
    const kind = "serverData";
    assert.deepEqual(await events.message("server-message"), { kind, dataType: "text", data: "Hello World" });
    assert.deepEqual(await events.message("server-message"), { kind, dataType: "json", data: { order: 42 } });
    assert.deepEqual(await events.message("server-message"), { kind, dataType: "binary", data: [1, 2, 255] });
    const { group, fromUserId, dataType, data } = await events.message("group-message");
    assert.deepEqual([group, fromUserId, dataType, data], ["room", undefined, "text", "to the room"]);
  });

  test("receives much at once in order", async () => {
    const hub = newHub();
    const { client, events } = await kit.connect(hub, { groups: ["room"] });
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    await Promise.all(numbers.map((n) => client.sendToGroup("room", n, "json")));
    for (const n of numbers) assert.equal((await events.message("group-message")).data, n);
  });

  test("learns each message's number by default, on a reliable one", async () => {
    for (const [options, isReliable] of [
      [{}, kit.reliable],
      [{ protocol: undefined }, true],
    ]) {
      const hub = newHub();
      const { client, events } = await kit.connect(hub, { groups: ["room"] }, options);
      await kit.server(hub).sendToAll("first", TEXT);
      await client.sendToGroup("room", "second", "text");
      const received = [await events.next("server-message"), await events.next("group-message")];
      assert.deepEqual(
        received.map(({ message }) => message.sequenceId),
        isReliable ? [1, 2] : [undefined, undefined],
      );
    }
  });

  test("calls all listeners, until they are removed", async () => {
    const hub = newHub();
    const { client, events } = await kit.connect(hub);
    const received = [];
    const listener =
      (name) =>
      ({ message }) =>
        received.push(`${name} ${message.data}`);
    const [first, second] = [listener("first"), listener("second")];
    client.on("server-message", first);
    client.on("server-message", second);
    client.on("group-message", first);
    await kit.server(hub).sendToAll("one", TEXT);
    await events.next("server-message");
    client.off("server-message", first);
    await kit.server(hub).sendToAll("two", TEXT);
    await events.next("server-message");
    assert.deepEqual(received, ["first one", "second one", "second two"]);
  });
}
