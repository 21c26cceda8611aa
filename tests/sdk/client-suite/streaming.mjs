// Group streams.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Queue } from "../../support/waiting.mjs";

export function defineStreams(kit) {
  test("opens a stream, and receives it as its member", async () => {
    const { client } = await kit.connect(kit.service.newHub(), { groups: ["room"] });
    const received = new Queue();
    const subscription = client.onGroupStream(async (stream) => {
      for await (const { data } of stream) received.push(data);
      received.push("the end");
    });
    const stream = await client.openGroupStream("room");
    await stream.write("hi", "text");
    await stream.end();
    assert.equal(await received.next("a fragment"), "hi");
    assert.equal(await received.next("the end"), "the end");
    subscription.close();
    assert.equal(subscription.isActive, false);
  });
}

/** What is not in any release of Microsoft's. */
export function defineStates(kit) {
  test("shows a state to those who subscribed, and clears it", async () => {
    const hub = kit.service.newHub();
    const { client, id } = await kit.connect(hub);
    const { client: watcher } = await kit.connect(hub);
    const changes = new Queue();
    watcher.on("group-states-changed", ({ group }) => changes.push(group));
    await client.joinGroup("room");
    await watcher.joinGroup("room");
    await watcher.subscribeGroupStates("room");
    await client.setGroupState("room", { status: "typing" });
    assert.equal(await changes.next("a change"), "room");
    const shown = watcher.listGroupStates("room").map(({ connectionId, state }) => ({ connectionId, state }));
    assert.deepEqual(shown, [{ connectionId: id, state: { status: "typing" } }]);
    assert.deepEqual(client.getGroupState("room"), { status: "typing" });
    await client.clearGroupState("room");
    assert.equal(await changes.next("a change"), "room");
    assert.deepEqual(watcher.listGroupStates("room"), []);
  });
}
