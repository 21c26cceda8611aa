// What follows when a connection is lost for good.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { inTurn, TEXT } from "./kit.mjs";

const never = new Error("no URL any more");

export function defineReconnecting(kit) {
  const newHub = () => kit.service.newHub();

  /**
   * A client that has said something. The runtime keeps the transport of one that has not for ten seconds after it
   * was closed, and these packages wait for the transport.
   */
  async function start(credential, options) {
    const started = await kit.start(credential, options);
    await started.client.sendToGroup("unknown", "hi", "text", { fireAndForget: true });
    return started;
  }

  test("reports a server's close, and stops if it may not reconnect", async () => {
    const hub = newHub();
    const { events, id } = await start(hub.clientUrl(), { autoReconnect: false });
    await kit.server(hub).closeConnection(id, { reason: "bye" });
    const { connectionId, message } = await events.next("disconnected");
    assert.equal(connectionId, id);
    assert.deepEqual(
      [message.kind, message.message],
      ["disconnected", "Application server closed the connection. Reason: bye"],
    );
    await events.next("stopped");
    assert.deepEqual(events.order, ["connected", "disconnected", "stopped"]);
    assert.equal(await hub.exists(`/connections/${id}`), false);
  });

  test("reconnects with a new URL, and joins its groups again", async () => {
    const hub = newHub();
    const credential = inTurn(
      hub.clientUrl({ user: "alice", roles: ALL_ROLES }),
      hub.clientUrl({ user: "bob", roles: ALL_ROLES }),
    );
    const { client, events, id } = await kit.start(credential);
    for (const group of ["one", "two", "left"]) await client.joinGroup(group);
    await client.leaveGroup("left");
    await kit.server(hub).closeConnection(id);
    const { connectionId, userId } = await events.next("connected");
    assert.notEqual(connectionId, id);
    assert.equal(userId, "bob");
    assert.equal(credential.asked, 2);
    // `connected` says that the groups are joined.
    const groups = await Promise.all(["one", "two", "left"].map((group) => hub.exists(`/groups/${group}`)));
    assert.deepEqual(groups, [true, true, false]);
    await kit.server(hub).group("two").sendToAll("welcome back", TEXT);
    assert.equal((await events.message("group-message")).data, "welcome back");
    assert.deepEqual(events.order, ["connected", "disconnected", "connected", "group-message"]);
  });

  test("does not join its groups again where it is not to", async () => {
    const hub = newHub();
    const { client, events, id } = await kit.connect(hub, {}, { autoRejoinGroups: false });
    await client.joinGroup("room");
    await kit.server(hub).closeConnection(id);
    await events.next("connected");
    assert.equal(await hub.exists("/groups/room"), false);
  });

  test("reports which group it may not join again", async () => {
    const hub = newHub();
    const roles = ["webpubsub.joinLeaveGroup.open"];
    const { client, events, id } = await kit.start(
      inTurn(hub.clientUrl({ roles: ALL_ROLES }), hub.clientUrl({ roles })),
    );
    for (const group of ["open", "shut"]) await client.joinGroup(group);
    await kit.server(hub).closeConnection(id);
    const { group, error } = await events.next("rejoin-group-failed");
    assert.equal(group, "shut");
    assert.deepEqual([error.name, error.errorDetail.name], ["SendMessageError", "Forbidden"]);
    await events.next("connected");
    assert.deepEqual(events.order, ["connected", "disconnected", "rejoin-group-failed", "connected"]);
    assert.deepEqual(await Promise.all(["open", "shut"].map((group) => hub.exists(`/groups/${group}`))), [true, false]);
  });

  for (const mode of ["Fixed", "Exponential"]) {
    const reconnectRetryOptions = { maxRetries: 3, retryDelayInMs: 1, maxRetryDelayInMs: 2, mode };

    test(`tries to connect again until it succeeds: ${mode}`, async () => {
      const hub = newHub();
      const credential = inTurn(hub.clientUrl(), never, hub.url, never, hub.clientUrl());
      const { events, id } = await start(credential, { reconnectRetryOptions });
      await kit.server(hub).closeConnection(id);
      assert.notEqual((await events.next("connected")).connectionId, id);
      assert.equal(credential.asked, 5);
      assert.deepEqual(events.order, ["connected", "disconnected", "connected"]);
    });

    test(`stops when it has tried to connect again often enough: ${mode}`, async () => {
      const hub = newHub();
      const credential = inTurn(hub.clientUrl(), never);
      const { events, id } = await start(credential, { reconnectRetryOptions });
      await kit.server(hub).closeConnection(id);
      await events.next("stopped");
      assert.equal(credential.asked, 1 + 1 + reconnectRetryOptions.maxRetries);
      assert.deepEqual(events.order, ["connected", "disconnected", "stopped"]);
    });
  }

  if (!kit.reliable) {
    test("connects again after a drop, and joins its groups again", async (t) => {
      const hub = newHub();
      const { client, events, id, link } = await kit.startOverLink(t, hub);
      await client.joinGroup("room");
      link.cut();
      assert.equal((await events.next("disconnected")).connectionId, id);
      assert.notEqual((await events.next("connected")).connectionId, id);
      await kit.server(hub).group("room").sendToAll("welcome back", TEXT);
      assert.equal((await events.message("group-message")).data, "welcome back");
      assert.deepEqual(events.order, ["connected", "disconnected", "connected", "group-message"]);
    });

    test("gives up a silent connection", async () => {
      const silence = { keepAliveIntervalInMs: 0, keepAliveTimeoutInMs: 300 };
      const { events, id } = await kit.start(newHub().clientUrl(), { ...silence, autoReconnect: false });
      assert.equal((await events.next("disconnected")).connectionId, id);
      await events.next("stopped");
    });
  }
}
