// Credentials, starting and stopping.
import assert from "node:assert/strict";
import { test } from "node:test";

export function defineConnecting(kit) {
  const newHub = () => kit.service.newHub();

  test("connects, and learns who it is", async () => {
    const hub = newHub();
    const alice = await kit.connect(hub, { user: "alice" });
    assert.equal(alice.userId, "alice");
    assert.equal(await hub.exists(`/connections/${alice.id}`), true);
    assert.equal((await kit.connect(hub)).userId ?? null, null);
  });

  test("takes the URL as it is, or from a credential", async () => {
    const url = newHub().clientUrl({ user: "alice" });
    for (const credential of [url, { getClientAccessUrl: url }, { getClientAccessUrl: async () => url }]) {
      assert.equal((await kit.start(credential)).userId, "alice");
    }
  });

  test("does not start without a URL, and says why", async () => {
    const problem = new Error("no URL to give");
    const failing = kit.make({ getClientAccessUrl: () => Promise.reject(problem) });
    await assert.rejects(failing.client.start(), problem);
    const wrong = kit.make({ getClientAccessUrl: async () => 42 });
    await assert.rejects(wrong.client.start(), {
      message: "The clientAccessUrl must be a string but currently it's number",
    });
  });

  test("passes the signal that aborts a start to the credential", async () => {
    const controller = new AbortController();
    const given = [];
    const { client } = kit.make({
      getClientAccessUrl: ({ abortSignal }) =>
        new Promise((_, reject) => {
          given.push(abortSignal);
          abortSignal.addEventListener("abort", () => reject(abortSignal.reason));
          setImmediate(() => controller.abort(new Error("given up")));
        }),
    });
    await assert.rejects(client.start({ abortSignal: controller.signal }), { message: "given up" });
    assert.deepEqual(given, [controller.signal]);
  });

  test("does not start with a refused token, or without a server", async () => {
    const hub = newHub();
    const nowhere = hub.clientUrl().replace(/:\d+\//, ":9/");
    for (const url of [hub.url, `${hub.url}?access_token=no`, hub.clientUrl({ minutes: -60 }), nowhere]) {
      const { client, events } = kit.make(url);
      await assert.rejects(client.start(), Error, url);
      assert.deepEqual(events.order, []);
    }
  });

  test("starts only when stopped, and then as a new connection", async () => {
    const hub = newHub();
    const { client, events, id } = await kit.connect(hub, { user: "alice" });
    await assert.rejects(client.start(), { message: "Client can be only started when it's Stopped" });
    client.stop();
    await assert.rejects(client.start(), { message: "Can't start a client during stopping" });
    await events.next("stopped");
    await client.start();
    const again = await events.next("connected");
    assert.equal(again.userId, "alice");
    assert.notEqual(again.connectionId, id);
    assert.equal(await hub.exists(`/connections/${again.connectionId}`), true);
  });

  test("stops when asked to, once", async () => {
    const { client, events, id } = await kit.connect(newHub());
    client.stop();
    client.stop();
    assert.deepEqual(await events.next("stopped").then(() => events.order), ["connected", "disconnected", "stopped"]);
    const { connectionId, message } = await events.next("disconnected");
    assert.deepEqual([connectionId, message], [id, undefined]);
    client.stop();
    await assert.rejects(client.joinGroup("room"));
    assert.equal(events.order.length, 3);
  });

  test("has nothing to stop before it is started", async () => {
    const { client, events } = kit.make(newHub().clientUrl());
    client.stop();
    await client.start();
    await events.next("connected");
    assert.deepEqual(events.order, ["connected"]);
  });

  test("refuses a keep-alive of less than nothing", () => {
    const url = newHub().clientUrl();
    for (const option of ["keepAliveIntervalInMs", "keepAliveTimeoutInMs"]) {
      const error = { name: "RangeError", message: `${option} must be greater than or equal to 0.` };
      assert.throws(() => new kit.WebPubSubClient(url, { [option]: -1 }), error);
    }
  });
}
