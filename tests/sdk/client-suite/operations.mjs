// Joining, leaving, sending: their options, their acks, their failures.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { field, message } from "../../support/protobuf.mjs";
import { TEXT } from "./kit.mjs";

/** Every operation, with its name in the service's refusals. */
const OPERATIONS = {
  joinGroup: { call: (client, options) => client.joinGroup("room", options), verb: "join" },
  leaveGroup: { call: (client, options) => client.leaveGroup("room", options), verb: "leave" },
  sendToGroup: { call: (client, options) => client.sendToGroup("room", "hi", "text", options), verb: "send to" },
  sendEvent: { call: (client, options) => client.sendEvent("chat", "hi", "text", options) },
};
const GROUP_OPERATIONS = ["joinGroup", "leaveGroup", "sendToGroup"];

const buffer = (bytes) => Uint8Array.from(bytes).buffer;
const ANY = message(field(1, "type.googleapis.com/google.protobuf.StringValue"), field(2, message(field(1, "hi"))));

const PAYLOADS = [
  ["text", "hi"],
  ["text", ""],
  ["text", 'ünï \u0000 "\\\n 🎉'],
  ["text", "long ".repeat(100_000)],
  ["json", { a: [1, null, { "": false }] }],
  ["json", []],
  ["json", "a string"],
  ["json", 0],
  ["json", -1.5e300],
  ["json", false],
  ["binary", buffer([0, 1, 255])],
  ["binary", buffer([])],
  ["protobuf", buffer(ANY)],
];

export function defineOperations(kit) {
  const newHub = () => kit.service.newHub();

  test("joins, sends, receives from itself and others, and leaves", async () => {
    const hub = newHub();
    const [alice, bob] = [await kit.connect(hub, { user: "alice" }), await kit.connect(hub, { user: "bob" })];
    for (const { client } of [alice, bob]) assert.equal((await client.joinGroup("room")).isDuplicated, false);
    await alice.client.sendToGroup("room", "hi", "text");
    await alice.client.sendToGroup("room", { a: [1] }, "json", { noEcho: true });
    await alice.client.sendToGroup("room", buffer([0, 255]), "binary", { fireAndForget: true });
    const from = { kind: "groupData", group: "room", fromUserId: kit.namesPublishers ? "alice" : undefined };
    const [text, json, binary] = [
      { ...from, dataType: "text", data: "hi" },
      { ...from, dataType: "json", data: { a: [1] } },
      { ...from, dataType: "binary", data: [0, 255] },
    ];
    for (const message of [text, json, binary]) assert.deepEqual(await bob.events.message("group-message"), message);
    for (const message of [text, binary]) assert.deepEqual(await alice.events.message("group-message"), message);

    await bob.client.leaveGroup("room");
    await alice.client.sendToGroup("room", "gone?", "text");
    await kit.server(hub).sendToAll("last", TEXT);
    assert.equal((await bob.events.message("server-message")).data, "last");
    assert.equal(bob.events.order.filter((name) => name === "group-message").length, 3);
  });

  test("sends every type of payload, and receives it as it was", async () => {
    const { client, events } = await kit.connect(newHub(), { groups: ["room"] });
    for (const [dataType, content] of PAYLOADS) {
      await client.sendToGroup("room", content, dataType);
      const data = content instanceof ArrayBuffer ? [...new Uint8Array(content)] : content;
      const received = await events.message("group-message");
      assert.deepEqual([received.dataType, received.data], [dataType, data]);
    }
  });

  test("refuses content that is not of its type, and goes on", async () => {
    const { client, events } = await kit.connect(newHub(), { groups: ["room"] });
    for (const [dataType, content] of [
      ["text", 5],
      ["binary", "text"],
      ["protobuf", [1]],
    ]) {
      for (const fireAndForget of [false, true]) {
        await assert.rejects(
          client.sendToGroup("room", content, dataType, { fireAndForget }),
          /^\w+: Message must be a/,
        );
        await assert.rejects(client.sendEvent("chat", content, dataType, { fireAndForget }), /^\w+: Message must be a/);
      }
    }
    await client.sendToGroup("room", "good", "text");
    assert.equal((await events.message("group-message")).data, "good");
  });

  test("waits for no ack where it is not to", async () => {
    const hub = newHub();
    const { client, events } = await kit.connect(hub, { roles: [], groups: ["room"] });
    for (const operation of ["sendToGroup", "sendEvent"]) {
      const result = await OPERATIONS[operation].call(client, { fireAndForget: true });
      assert.deepEqual(result, { isDuplicated: false }, operation);
    }
    // It is still connected, and received nothing: what is refused without an ack is refused in silence.
    await assert.rejects(client.sendToGroup("room", "hi", "text"), { message: "Failed to send message." });
    assert.deepEqual(events.order, ["connected"]);
  });

  describe("with an ack id of its own", () => {
    test("does an operation once", async () => {
      const hub = newHub();
      const { client, events } = await kit.connect(hub, { groups: ["room"] });
      for (const [n, operation] of GROUP_OPERATIONS.entries()) {
        const ackId = 1000 + n;
        for (const isDuplicated of [false, true]) {
          assert.deepEqual(await OPERATIONS[operation].call(client, { ackId }), { ackId, isDuplicated }, operation);
        }
      }
      // Whatever operation comes under a used id counts as done, and is not.
      for (const { call } of Object.values(OPERATIONS))
        assert.deepEqual(await call(client, { ackId: 1000 }), { ackId: 1000, isDuplicated: true });
      assert.deepEqual(await client.joinGroup("room", { ackId: 0 }), { ackId: 0, isDuplicated: false });
      await client.sendToGroup("room", "last", "text");
      assert.equal((await events.message("group-message")).data, "last");
    });

    test("may use it again after a failure", async () => {
      const hub = newHub();
      const { client, id } = await kit.connect(hub, { roles: [] });
      const sending = () => client.sendToGroup("room", "hi", "text", { ackId: 7 });
      await assert.rejects(sending());
      await kit.server(hub).grantPermission(id, "sendToGroup", { targetName: "room" });
      assert.deepEqual(await sending(), { ackId: 7, isDuplicated: false });
    });

    for (const [operation, { call, verb }] of Object.entries(OPERATIONS)) {
      const errorDetail = verb
        ? { name: "Forbidden", message: `The client does not have permission to ${verb} group 'room'.` }
        : { name: "InternalServerError", message: "Internal server error" };

      test(`reports what was refused: ${operation}`, async () => {
        const { client } = await kit.connect(newHub(), { roles: [] });
        for (let times = 0; times < 2; times++) {
          const error = await call(client, { ackId: 11 }).catch((error) => error);
          const { name, message, ackId } = error;
          assert.deepEqual(
            { name, message, ackId },
            { name: "SendMessageError", message: "Failed to send message.", ackId: 11 },
          );
          assert.deepEqual({ ...error.errorDetail }, errorDetail);
        }
      });

      test(`gives up when it is aborted: ${operation}`, async () => {
        const { client } = await kit.connect(newHub());
        const { signal } = new AbortController();
        // Microsoft's client forgets to catch a refusal of what it has given up. Under a used id there is none.
        assert.equal((await client.joinGroup("room", { ackId: 21, abortSignal: signal })).isDuplicated, false);
        const givenUp = { name: "SendMessageError", message: "Cancelled by abortSignal", ackId: 21 };
        await assert.rejects(call(client, { ackId: 21, abortSignal: AbortSignal.abort() }), givenUp);
        const controller = new AbortController();
        const waiting = call(client, { ackId: 21, abortSignal: controller.signal });
        controller.abort();
        await assert.rejects(waiting, givenUp);
        assert.equal((await call(client, { ackId: 21, abortSignal: signal })).isDuplicated, true);
      });
    }
  });

  for (const mode of ["Fixed", "Exponential"]) {
    test(`tries again up to its limit, each time with a new ack id: ${mode}`, async () => {
      const messageRetryOptions = { maxRetries: 3, retryDelayInMs: 1, maxRetryDelayInMs: 2, mode };
      const { client } = await kit.connect(newHub(), { roles: [] }, { messageRetryOptions });
      for (const [n, { call }] of Object.values(OPERATIONS).entries()) {
        await assert.rejects(call(client), { name: "SendMessageError", ackId: (n + 1) * 4 });
        await assert.rejects(call(client, { ackId: 100 }), { ackId: 100 });
      }
    });
  }

  test("tries again until it may", async () => {
    const hub = newHub();
    const messageRetryOptions = { maxRetries: 1_000_000, retryDelayInMs: 10 };
    const { client, id } = await kit.connect(hub, { roles: ["webpubsub.sendToGroup"] }, { messageRetryOptions });
    const joining = client.joinGroup("room");
    // Acks come in order: with this one, the first try has failed.
    await client.sendToGroup("room", "hi", "text");
    await kit.server(hub).grantPermission(id, "joinLeaveGroup", { targetName: "room" });
    const { ackId, isDuplicated } = await joining;
    assert.ok(ackId > 2 && !isDuplicated);
    assert.equal(await hub.exists("/groups/room"), true);
  });

  test("does nothing while it is not connected", async () => {
    const { client, events } = kit.make(newHub().clientUrl({ roles: ALL_ROLES }));
    const message = "The connection is not connected.";
    const failAll = async () => {
      for (const { call } of Object.values(OPERATIONS)) {
        await assert.rejects(call(client, { ackId: 31 }), { name: "SendMessageError", message, ackId: 31 });
      }
      for (const operation of ["sendToGroup", "sendEvent"]) {
        await assert.rejects(OPERATIONS[operation].call(client, { fireAndForget: true }), { name: "Error", message });
      }
    };
    await failAll();
    await client.start();
    await events.next("connected");
    client.stop();
    await events.next("stopped");
    await failAll();
  });

  test("reports a lost ack, and whether its operation was done", async (t) => {
    const hub = newHub();
    const bob = await kit.connect(hub, { groups: ["room"] });
    const { client, events, id, link } = await kit.startOverLink(t, hub);
    link.hold();
    const sending = client.sendToGroup("room", "once?", "text", { ackId: 7 });
    assert.equal((await bob.events.message("group-message")).data, "once?");
    link.cut();
    const message = "Connection is disconnected before receive ack from the service";
    await assert.rejects(sending, { name: "SendMessageError", message, ackId: 7, errorDetail: undefined });

    if (kit.reliable) await kit.server(hub).sendToConnection(id, "you are back", TEXT);
    await events.next(kit.reliable ? "server-message" : "connected");
    const again = await client.sendToGroup("room", "once more", "text", { ackId: 7 });
    assert.deepEqual(again, { ackId: 7, isDuplicated: kit.reliable });
  });
}
