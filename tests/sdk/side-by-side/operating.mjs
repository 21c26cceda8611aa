// Groups, events and invocations: results, acks, errors.
import { ALL_ROLES } from "../../support/hub.mjs";

const bytes = (...values) => Uint8Array.from(values).buffer;

const NO_ACK_ID = "An error about an argument has no `ackId`";

/**
 * Payloads by data type, and what is known to be different.
 * @type {[string, unknown, string, string?][]}
 */
const PAYLOADS = [
  ["text", "hi", "text"],
  ["an empty text", "", "text"],
  ["a text with emoji and quotes", '"é😀\\"\n', "text"],
  ["an object", { a: [1, null, { b: "c" }] }, "json"],
  ["a number", 1.5, "json"],
  ["a string as JSON", "hi", "json"],
  ["null", null, "json", "`null` is no payload"],
  ["false", false, "json"],
  ["zero", 0, "json"],
  ["an empty array", [], "json"],
  ["bytes", bytes(0, 255, 10), "binary"],
  ["no bytes", bytes(), "binary"],
  ["a protobuf Any", bytes(10, 1, 120, 18, 2, 8, 1), "protobuf"],
  ["a number as text", 1, "text", NO_ACK_ID],
  ["an object as text", {}, "text", NO_ACK_ID],
  ["a string as bytes", "hi", "binary", NO_ACK_ID],
  ["a string as protobuf", "hi", "protobuf", NO_ACK_ID],
];

/** @type {import("./scenarios.mjs").Scenario[]} */
export const operating = [
  ...PAYLOADS.map(([kind, content, dataType, differs]) => ({
    name: `${kind} to a group`,
    differs,
    async run(side) {
      await side.connect();
      await side.call("joinGroup", "room");
      const sent = await side.call("sendToGroup", "room", content, dataType);
      if (sent) await side.event("group-message");
    },
  })),
  ...PAYLOADS.map(([kind, content, dataType, differs]) => ({
    name: `${kind} as an event`,
    differs,
    async run(side) {
      const handler = await side.handler();
      await side.connect();
      await side.call("sendEvent", "order", content, dataType);
      const asked = handler.asked.find((its) => its.kind === "user.order");
      side.note("handler", asked && [asked.header("content-type"), [...asked.body]]);
    },
  })),
  {
    name: "acks of its own, from 1",
    async run(side) {
      await side.connect();
      await side.call("joinGroup", "a");
      await side.call("sendToGroup", "b", "x", "text");
      await side.call("leaveGroup", "a");
    },
  },
  {
    name: "an ack id of one's own, twice",
    async run(side) {
      await side.connect();
      await side.call("sendToGroup", "b", "x", "text", { ackId: 77 });
      await side.call("sendToGroup", "b", "x", "text", { ackId: 77 });
      await side.call("joinGroup", "b", { ackId: 78 });
      await side.call("joinGroup", "b", { ackId: 78 });
      await side.call("leaveGroup", "b");
    },
  },
  {
    name: "groups that the token does not allow",
    async run(side) {
      await side.connect(side.hub.clientUrl({ user: "alice" }));
      await side.call("joinGroup", "room");
      await side.call("sendToGroup", "room", "x", "text");
      await side.call("leaveGroup", "room");
    },
  },
  {
    name: "groups that the token allows in part",
    async run(side) {
      const roles = ["webpubsub.joinLeaveGroup.a", "webpubsub.sendToGroup.b"];
      await side.connect(side.hub.clientUrl({ roles }));
      for (const group of ["a", "b"]) {
        await side.call("joinGroup", group);
        await side.call("sendToGroup", group, "x", "text");
      }
    },
  },
  {
    name: "names that are none",
    async run(side) {
      await side.connect();
      for (const name of ["", " ", "g".repeat(1025)]) await side.call("joinGroup", name);
    },
    differs: "A name that the service would refuse is refused at once where",
  },
  {
    name: "not to oneself",
    async run(side) {
      await side.connect();
      await side.call("joinGroup", "room");
      await side.call("sendToGroup", "room", "not this", "text", { noEcho: true });
      await side.call("sendToGroup", "room", "this", "text");
      await side.event("group-message");
    },
  },
  {
    name: "fire and forget",
    async run(side) {
      await side.connect();
      await side.call("joinGroup", "room");
      await side.call("sendToGroup", "room", "x", "text", { fireAndForget: true });
      await side.event("group-message");
      await side.call("sendEvent", "order", "x", "text", { fireAndForget: true });
    },
  },
  {
    name: "fire and forget what cannot be sent",
    differs: "Arguments that are wrong are not tried again either",
    async run(side) {
      await side.connect();
      await side.call("sendToGroup", "room", 1, "text", { fireAndForget: true });
    },
  },
  {
    name: "operations before a start",
    async run(side) {
      side.make();
      await side.call("joinGroup", "room");
      await side.call("sendToGroup", "room", "x", "text");
      await side.call("sendToGroup", "room", "x", "text", { fireAndForget: true });
      await side.call("sendEvent", "order", "x", "text");
      await side.call("invokeEvent", "order", "x", "text");
      await side.call("leaveGroup", "room");
    },
  },
  {
    name: "operations after a stop",
    async run(side) {
      await side.connect();
      side.client.stop();
      await side.event("stopped");
      await side.call("joinGroup", "room");
      await side.call("sendEvent", "order", "x", "text", { fireAndForget: true });
    },
  },
  {
    name: "an operation that was aborted before",
    differs: "nor has that of an operation whose signal was aborted before",
    async run(side) {
      await side.connect();
      const abortSignal = AbortSignal.abort();
      await side.call("joinGroup", "room", { abortSignal });
      await side.call("sendToGroup", "room", "x", "text", { abortSignal });
    },
  },
  {
    name: "an operation that its signal ends",
    async run(side) {
      const { service } = await side.scriptConnected();
      service.answer = () => {};
      const controller = new AbortController();
      const done = side.call("sendToGroup", "room", "x", "text", { abortSignal: controller.signal });
      setTimeout(() => controller.abort(), 20);
      await done;
    },
  },
  {
    name: "an event without a handler",
    async run(side) {
      await side.connect();
      await side.call("sendEvent", "order", "x", "text");
    },
  },
  .../** @type {[string, object][]} */ ([
    ["text", { headers: { "content-type": "text/plain" }, body: "answer" }],
    ["JSON", { headers: { "content-type": "application/json" }, body: '{"n":1}' }],
    ["bytes", { headers: { "content-type": "application/octet-stream" }, body: Buffer.from([1, 2]) }],
    ["metadata", { headers: { "content-type": "text/plain", "x-webpubsub-metadata-trace": "t1" }, body: "x" }],
  ]).map(([kind, answer]) => ({
    name: `an event that is answered with ${kind}`,
    async run(side) {
      const handler = await side.handler();
      handler.answer("user.order", answer);
      await side.connect();
      await side.call("sendEvent", "order", "x", "text");
      await side.event("server-message");
    },
  })),
  ...[400, 403, 500].map((status) => ({
    name: `an event whose handler fails with ${status}`,
    async run(side) {
      const handler = await side.handler();
      handler.answer("user.order", { status, body: "no" });
      await side.connect();
      await side.call("sendEvent", "order", "x", "text");
    },
  })),
  .../** @type {[string, object][]} */ ([
    ["text", { headers: { "content-type": "text/plain" }, body: "answer" }],
    ["JSON", { headers: { "content-type": "application/json" }, body: '{"n":1}' }],
    ["bytes", { headers: { "content-type": "application/octet-stream" }, body: Buffer.from([1, 2]) }],
    ["nothing", { status: 204 }],
    ["a failure", { status: 500 }],
  ]).map(([kind, answer]) => ({
    name: `an invocation that is answered with ${kind}`,
    async run(side) {
      const handler = await side.handler();
      handler.answer("user.price", answer);
      await side.connect();
      await side.call("invokeEvent", "price", { id: 7 }, "json");
      await side.call("invokeEvent", "price", "again", "text", { invocationId: "mine" });
    },
  })),
  {
    name: "an invocation without a payload",
    async run(side) {
      const handler = await side.handler();
      handler.answer("user.refresh", (request) => ({
        headers: { "content-type": "text/plain" },
        body: JSON.stringify([request.text, request.header("content-type")]),
      }));
      await side.connect();
      await side.call("invokeEvent", "refresh");
      await side.call("invokeEvent", "refresh", undefined, "json");
      await side.call("invokeEvent", "refresh", null, "text");
    },
  },
  {
    name: "an invocation without a handler",
    async run(side) {
      await side.connect();
      await side.call("invokeEvent", "price", "x", "text");
    },
  },
  {
    name: "an invocation id that waits already",
    async run(side) {
      const { service, connection } = await side.scriptConnected();
      service.answer = () => {};
      const first = side.call("invokeEvent", "price", "x", "text", { invocationId: "one" });
      await connection.message();
      await side.call("invokeEvent", "price", "x", "text", { invocationId: "one" });
      connection.say({ type: "invokeResponse", invocationId: "one", success: true, dataType: "text", data: "done" });
      await first;
    },
  },
  {
    name: "an invocation that its signal ends",
    async run(side) {
      const { service } = await side.scriptConnected();
      service.answer = () => {};
      const controller = new AbortController();
      const done = side.call("invokeEvent", "price", "x", "text", { abortSignal: controller.signal });
      setTimeout(() => controller.abort(), 20);
      await done;
    },
  },
  {
    name: "many operations at once",
    async run(side) {
      await side.connect(side.hub.clientUrl({ roles: ALL_ROLES }));
      const all = Array.from({ length: 20 }, (_, n) => side.client.sendToGroup("room", `${n}`, "text"));
      side.note("results", await Promise.all(all));
    },
  },
];
