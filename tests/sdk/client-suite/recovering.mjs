// A connection of a reliable protocol outlives its transport.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../support/waiting.mjs";
import { TEXT } from "./kit.mjs";

export function defineRecovering(kit) {
  if (!kit.reliable) return;
  const newHub = () => kit.service.newHub();

  test("recovers after each drop; all arrives once, in order", async (t) => {
    const hub = newHub();
    const { client, events, id, link } = await kit.startOverLink(t, hub);
    const server = kit.server(hub);
    await client.joinGroup("room");
    const received = [];
    const receive = async () => {
      const { message } = await events.next("group-message");
      received.push([message.sequenceId, message.data]);
    };
    const send = (text) => server.group("room").sendToAll(text, TEXT);
    for (const time of ["first", "second", "third"]) {
      await send(`before the ${time} drop`);
      await receive();
      link.hold();
      await send(`lost in the ${time} drop`);
      link.down();
      await send(`missed after the ${time} drop`);
      link.up();
      await receive();
      await receive();
    }
    await server.sendToConnection(id, "still you?", TEXT);
    const { message } = await events.next("server-message");
    assert.deepEqual(received, [
      [1, "before the first drop"],
      [2, "lost in the first drop"],
      [3, "missed after the first drop"],
      [4, "before the second drop"],
      [5, "lost in the second drop"],
      [6, "missed after the second drop"],
      [7, "before the third drop"],
      [8, "lost in the third drop"],
      [9, "missed after the third drop"],
    ]);
    assert.deepEqual([message.sequenceId, message.data], [10, "still you?"]);
    assert.deepEqual(events.order, ["connected", ...Array(9).fill("group-message"), "server-message"]);
  });

  test("does what it was doing in a drop once", async (t) => {
    const hub = newHub();
    const bob = await kit.connect(hub, { groups: ["room"] });
    const messageRetryOptions = { maxRetries: 1_000_000, retryDelayInMs: 10 };
    const { client, events, link } = await kit.startOverLink(t, hub, { messageRetryOptions });
    await client.joinGroup("other", { ackId: 6 });
    link.hold();
    const sending = client.sendToGroup("room", "once", "text", { ackId: 7 });
    assert.equal((await bob.events.message("group-message")).data, "once");
    link.cut();
    assert.deepEqual(await sending, { ackId: 7, isDuplicated: true });
    assert.deepEqual(await client.leaveGroup("other", { ackId: 6 }), { ackId: 6, isDuplicated: true });
    await client.sendToGroup("room", "last", "text");
    assert.equal((await bob.events.message("group-message")).data, "last");
    assert.deepEqual(events.order, ["connected"]);
  });

  test("connects anew after a close meanwhile, and rejoins groups", async (t) => {
    const hub = newHub();
    const { client, events, id, link } = await kit.startOverLink(t, hub);
    await client.joinGroup("room");
    link.down();
    await kit.server(hub).closeConnection(id);
    link.up();
    assert.equal((await events.next("disconnected")).connectionId, id);
    assert.notEqual((await events.next("connected")).connectionId, id);
    await kit.server(hub).group("room").sendToAll("welcome back", TEXT);
    assert.equal((await events.message("group-message")).data, "welcome back");
    assert.deepEqual(events.order, ["connected", "disconnected", "connected", "group-message"]);
  });

  test("gives up a silent transport, and recovers", async (t) => {
    const hub = newHub();
    const silence = { keepAliveIntervalInMs: 0, keepAliveTimeoutInMs: 300 };
    const { events, id, link } = await kit.startOverLink(t, hub, { ...silence, autoReconnect: false });
    await until(async () => (await hub.exists(`/connections/${id}`)) && link.carried > 2, "the second recovery");
    await kit.server(hub).sendToConnection(id, "still you?", TEXT);
    assert.equal((await events.message("server-message")).data, "still you?");
    // Microsoft's client does not stop in the middle of a recovery, and this one is never far from one.
    await kit.server(hub).closeConnection(id);
    await events.next("stopped");
    assert.deepEqual(events.order, ["connected", "server-message", "disconnected", "stopped"]);
  });
}
