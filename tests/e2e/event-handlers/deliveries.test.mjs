// What became of an event: every answer that the service cannot use has its kind in the deliveries, and in a test.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clientKinds } from "../../support/client-kinds.mjs";
import {
  AT_ONCE,
  endless,
  EventHandler,
  garbage,
  half,
  headOnly,
  OWN_SHARD,
  reset,
  startWithHub,
} from "../../support/event-handler.mjs";
import { forEachShardCount, Service } from "../../support/service.mjs";
import { JSON_V1, Refused, Socket } from "../../support/socket.mjs";

const TIMEOUT_SECONDS = 8;
const STATE_LIMIT = 12_288;
const NOTIFICATIONS = {
  systemEvents: ["connected", "disconnected"],
  groupPresenceEvents: { eventNames: ["joined", "left"] },
};

const answer = (contentType, body, more) => ({
  headers: { ...(contentType && { "content-type": contentType }), ...more },
  body,
});
const json = (value) => answer("application/json", JSON.stringify(value));
const page = answer("text/html; charset=utf-8", "<!doctype html><title>Sign in</title>");
const stateOf = (length) => ({ "ce-connectionState": "x".repeat(length) });

/**
 * What is said of an answer: its status, if it came so far, and the kind of its error.
 * @typedef {[what: string, given: import("../../support/event-handler.mjs").Answering, status: number | null, error: string]} Row
 */

/**
 * What fails whatever the event is: no success, or no answer.
 * @type {Row[]}
 */
const UNANSWERED = [
  ["a redirect", { status: 302, headers: { location: "/elsewhere" } }, 302, "Redirect"],
  ["304", { status: 304 }, 304, "Redirect"],
  ["400", { status: 400, body: "no" }, 400, "Status"],
  ["429", { status: 429 }, 429, "Status"],
  ["408", { status: 408 }, 408, "Status"],
  ["500", { status: 500, body: "a stack trace" }, 500, "Status"],
  ["503", { status: 503 }, 503, "Status"],
  ["a connection that is reset", reset, null, "Network"],
  ["what is no HTTP", garbage, null, "Network"],
];
/**
 * What breaks a rule of the answers whose bodies are read.
 * @type {Row[]}
 */
const UNREAD = [
  ["an answer that breaks off", half, null, "Network"],
  ["an answer whose body never comes", headOnly, null, "TimedOut"],
  ["an answer without an end", endless, 200, "TooLarge"],
];
/** @type {Row[]} */
const USER_EVENT = [
  ["an HTML page", page, 200, "WrongContentType"],
  ["problem JSON", answer("application/problem+json", "{}"), 200, "WrongContentType"],
  ["text in an unknown charset", answer("text/plain; charset=klingon", "hi"), 200, "WrongContentType"],
  ["half a JSON object", answer("application/json", '{"a":'), 200, "NotReadable"],
  ["an HTML page said to be JSON", answer("application/json", page.body), 200, "NotReadable"],
  ["text that is not UTF-8", answer("text/plain", Buffer.from([0xff])), 200, "NotReadable"],
  ["protobuf that is no Any", answer("application/x-protobuf", Buffer.from([0x0a, 0xff])), 200, "NotReadable"],
  [
    "metadata that is not ASCII",
    answer("text/plain", "hi", { "x-webpubsub-metadata-a": Buffer.from("é").toString("latin1") }),
    200,
    "InvalidMetadata",
  ],
  [
    "too long metadata",
    answer("text/plain", "hi", { "x-webpubsub-metadata-a": "x".repeat(1025) }),
    200,
    "InvalidMetadata",
  ],
  ["a state above the limit", answer("text/plain", "hi", stateOf(STATE_LIMIT + 1)), 200, "StateTooLarge"],
  ["no body and a state above the limit", { status: 204, headers: stateOf(STATE_LIMIT + 1) }, 204, "StateTooLarge"],
];
/** @type {Row[]} */
const CONNECT = [
  ["an HTML page", page, 200, "NotReadable"],
  ["half an object", answer("application/json", '{"userId":"bob"'), 200, "NotReadable"],
  ["a list", json([]), 200, "NotReadable"],
  ["bytes that are no text", answer("application/json", Buffer.from([0xff])), 200, "NotReadable"],
  ["a user that is no string", json({ userId: 1 }), 200, "InvalidUser"],
  ["a blank user", json({ userId: " " }), 200, "InvalidUser"],
  ["a blank group", json({ groups: ["a", " "] }), 200, "InvalidGroup"],
  ["an empty group", json({ groups: [""] }), 200, "InvalidGroup"],
  ["a group of 1025 characters", json({ groups: ["g".repeat(1025)] }), 200, "InvalidGroup"],
  ["groups that are no list", json({ groups: "a" }), 200, "InvalidGroup"],
  ["a role that is null", json({ roles: [null] }), 200, "InvalidRole"],
  ["roles that are no list", json({ roles: "webpubsub.sendToGroup" }), 200, "InvalidRole"],
  ["a subprotocol that was not offered", json({ subprotocol: "other.v1" }), 200, "SubprotocolNotOffered"],
  ["a subprotocol that is no string", json({ subprotocol: 1 }), 200, "SubprotocolNotOffered"],
  ["a state above the limit", { headers: stateOf(STATE_LIMIT + 1) }, 200, "StateTooLarge"],
  ["a body of 1 MiB and a byte", { body: Buffer.alloc((1 << 20) + 1, " ") }, 200, "TooLarge"],
];
/** @type {Row[]} */
const HANDSHAKE = [
  ["without WebHook-Allowed-Origin", {}, 200, "NoAllowedOrigin"],
  ["with an empty WebHook-Allowed-Origin", { headers: { "WebHook-Allowed-Origin": " " } }, 200, "NoAllowedOrigin"],
  ["that allows another origin", { headers: { "WebHook-Allowed-Origin": "other.example" } }, 200, "OtherOrigin"],
  ["with status 403", { status: 403, headers: { "WebHook-Allowed-Origin": "*" } }, 403, "Status"],
  ["with status 503", { status: 503 }, 503, "Status"],
  ["that redirects", { status: 301, headers: { location: "/elsewhere" } }, 301, "Redirect"],
  ["that is reset", reset, null, "Network"],
];

forEachShardCount(
  "Deliveries",
  (service) => {
    /** Fails unless the last delivery of an event says this of it. */
    async function expectKind(hub, event, status, error) {
      const { status: got, error: name, message } = await hub.lastDelivery(event);
      assert.deepEqual([got, name], [status, error]);
      assert.equal(typeof message, "string");
      assert.ok(!/canary|<title>|stack trace/.test(message), message);
      return message;
    }

    describe("at the same time", { concurrency: 8 }, () => {
      for (const [what, given, status, error] of [...UNANSWERED, ...UNREAD, ...USER_EVENT]) {
        test(`of a user event say its kind: ${what}`, async (t) => {
          const { handler, hub } = await startWithHub(t, service);
          handler.answer("user.chat", given);
          const alice = await hub.connect();
          const ack = await alice.ask({ type: "event", event: "chat", data: 1, ackId: 1 });
          assert.equal(ack.error?.name, "InternalServerError");
          const message = await expectKind(hub, "chat", status, error);
          if (error === "StateTooLarge") assert.match(message, new RegExp(String(STATE_LIMIT)));
        });
      }

      test("of an invocation say their kind", async (t) => {
        const { handler, hub } = await startWithHub(t, service);
        handler.answer("user.chat", page);
        const alice = await hub.connect();
        alice.send({ type: "invoke", invocationId: "1", target: "event", event: "chat", data: 1 });
        assert.equal((await alice.json()).success, false);
        await expectKind(hub, "chat", 200, "WrongContentType");
      });

      for (const kind of clientKinds) {
        test(`of an event of a ${kind.name} client say their kind`, async (t) => {
          const { handler, hub } = await startWithHub(t, service);
          handler.answer("user.message", page);
          const socket = await kind.connect(hub);
          kind.send(socket, { ackId: 1 });
          await kind.fails(socket, 1);
          await expectKind(hub, "message", 200, "WrongContentType");
        });
      }

      for (const [what, given, status, error] of [...UNANSWERED, ...UNREAD, ...CONNECT]) {
        test(`of connect say its kind: ${what}`, async (t) => {
          const { handler, hub } = await startWithHub(t, service, { systemEvents: ["connect"] });
          handler.answer("sys.connect", given);
          await assert.rejects(Socket.open(hub.clientUrl(), { protocols: JSON_V1 }), (refused) => {
            assert.ok(refused instanceof Refused);
            assert.equal(refused.status, error === "Status" ? status : 500);
            return true;
          });
          await expectKind(hub, "connect", status, error);
        });
      }

      for (const [what, given, status, error] of UNANSWERED) {
        test(`of what only happened say its kind: ${what}`, async (t) => {
          const { handler, hub } = await startWithHub(t, service, NOTIFICATIONS);
          for (const kind of ["sys.connected", "gp.joined", "gp.left", "sys.disconnected"]) handler.answer(kind, given);
          const alice = await hub.connect({ groups: ["room"] });
          await expectKind(hub, "connected", status, error);
          await alice.close(1000);
          // A handler that does not work is left alone after a while.
          if (error !== "Redirect" && status !== 400 && status !== 429) return;
          for (const event of ["joined", "left", "disconnected"]) await expectKind(hub, event, status, error);
        });
      }

      test("of notifications are no error where the answer is a page", async (t) => {
        const { handler, hub } = await startWithHub(t, service, NOTIFICATIONS);
        handler.answer("sys.connected", page);
        await hub.connect();
        const { status, error, message } = await hub.lastDelivery("connected");
        assert.deepEqual([status, error, message], [200, null, null]);
      });

      for (const [what, given, status, error] of HANDSHAKE) {
        test(`of a handshake say its kind: one ${what}`, async (t) => {
          const { handler, hub } = await startWithHub(t, service);
          handler.answer("OPTIONS", given);
          const alice = await hub.connect();
          assert.equal((await alice.ask({ type: "event", event: "chat", data: 1, ackId: 1 })).success, false);
          await expectKind(hub, "validate", status, error);
          await expectKind(hub, "chat", null, "NotValidated");
          const [validation, event] = JSON.parse(
            (await service.manage("POST", `hubs/${hub.name}/eventHandlers/0/:test`)).body,
          ).steps;
          assert.deepEqual([validation.ok, validation.status, validation.error], [false, status, error]);
          assert.deepEqual([event.ok, event.error], [false, "NotValidated"]);
        });
      }

      test("in a test of a handler name the outcome of the sample", async (t) => {
        const { handler, hub } = await startWithHub(t, service);
        const run = async () =>
          JSON.parse((await service.manage("POST", `hubs/${hub.name}/eventHandlers/0/:test`)).body).steps;
        handler.answer("user.test", page);
        const [validation, event] = await run();
        assert.deepEqual([validation.ok, validation.error], [true, null]);
        assert.deepEqual([event.ok, event.status, event.error], [false, 200, "WrongContentType"]);
        await expectKind(hub, "test", 200, "WrongContentType");
        handler.answer("user.test", { headers: stateOf(STATE_LIMIT + 1) });
        const [, tooLarge] = await run();
        assert.equal(tooLarge.error, "StateTooLarge");
        assert.match(tooLarge.result, new RegExp(String(STATE_LIMIT)));
      });

      test("say of a handler's state at the limit nothing", async (t) => {
        const { handler, hub } = await startWithHub(t, service);
        handler.answer("user.chat", { headers: stateOf(STATE_LIMIT) });
        const alice = await hub.connect();
        assert.equal((await alice.ask({ type: "event", event: "chat", data: 1, ackId: 1 })).success, true);
        assert.equal((await hub.lastDelivery("chat")).error, null);
      });
    });
  },
  { steady: OWN_SHARD, variables: { ...AT_ONCE, EVENT_TIMEOUT_SECONDS: TIMEOUT_SECONDS }, inMemory: true },
);

describe("Deliveries at private addresses", () => {
  test("say so, of every event and of the handshake", async (t) => {
    const service = new Service({ variables: AT_ONCE, inMemory: true });
    await service.start();
    t.after(() => service.stop());
    const handler = await EventHandler.start(t);
    const hub = service.newHub();
    await hub.useHandler(handler, { systemEvents: ["connected"], userEventPattern: "*" });
    await service.crash();
    service.variables = {};
    await service.start();
    const alice = await hub.connect();
    assert.equal((await alice.ask({ type: "event", event: "chat", data: 1, ackId: 1 })).success, false);
    const kinds = (await hub.deliveries()).map(({ event, status, error }) => [event, status, error]);
    assert.deepEqual(kinds.sort(), [
      ["chat", null, "NotPublic"],
      ["connected", null, "NotPublic"],
    ]);
    const { steps } = JSON.parse((await service.manage("POST", `hubs/${hub.name}/eventHandlers/0/:test`)).body);
    assert.deepEqual(
      steps.map(({ error }) => error),
      ["NotPublic", "NotValidated"],
    );
    assert.equal(handler.asked.length, 0);
  });
});
