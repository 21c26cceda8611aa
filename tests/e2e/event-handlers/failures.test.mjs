// Handlers that fail: what is tried again and what is not, what it looks like to clients, and that nothing else suffers.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clientKinds } from "../../support/client-kinds.mjs";
import {
  ATTEMPTS,
  AT_ONCE,
  endless,
  EventHandler,
  garbage,
  half,
  hang,
  headOnly,
  OWN_SHARD,
  reset,
} from "../../support/event-handler.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const TIMEOUT_SECONDS = 4;
/** What stays the same in every attempt at an event. */
const SAME = [
  "ce-id",
  "ce-time",
  "ce-type",
  "ce-connectionId",
  "ce-signature",
  "x-ms-client-request-id",
  "content-type",
];

const text = (body, more) => ({ headers: { "content-type": "text/plain" }, body, ...more });

async function startAt(service, t) {
  const handler = await EventHandler.start(t);
  const hub = service.newHub();
  await hub.useHandler(handler);
  return { handler, hub };
}

/** Fails unless all attempts at the one event so far were the same, and as many as this. */
function expectAttempts(handler, count) {
  const [first, ...others] = handler.asked.filter(({ kind }) => kind === "user.message");
  assert.equal(others.length + 1, count);
  for (const other of others) {
    for (const name of SAME) assert.equal(other.header(name), first.header(name), name);
    assert.deepEqual(other.body, first.body);
  }
}

/** Fails unless an event is tried this often, and fails. */
async function expectFailure(service, t, kind, answer, count = ATTEMPTS) {
  const { handler, hub } = await startAt(service, t);
  handler.answer("user.message", answer);
  const socket = await kind.connect(hub);
  kind.send(socket, { ackId: 1 });
  await kind.fails(socket, 1);
  expectAttempts(handler, count);
  const deliveries = (await hub.deliveries()).filter(({ event }) => event === "message");
  assert.deepEqual(
    deliveries.map(({ attempt }) => attempt),
    [4, 3, 2, 1].slice(-count),
  );
}

const TRIED_AGAIN = [
  ["500", { ...text("oops"), status: 500 }],
  ["501", { status: 501 }],
  ["502", { status: 502 }],
  ["503", { status: 503, headers: { "retry-after": "3600" } }],
  ["504", { status: 504 }],
  ["599", { status: 599 }],
  ["408", { status: 408 }],
  ["a connection that is reset", reset],
  ["what is no HTTP", garbage],
  ["an answer that breaks off", half],
];
const FINAL = [
  ...[300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 451, 499].map(
    (status) => [`${status}`, { status, headers: { location: "/elsewhere", "retry-after": "1" } }],
  ),
  ["a body of 17 MiB", text(Buffer.alloc(17 * 1024 * 1024, "x"))],
  ["a body without an end", endless],
];

forEachShardCount(
  "Failures",
  (service) => {
    describe("at the same time", { concurrency: 8 }, () => {
      for (const kind of clientKinds) {
        for (const [what, answer] of TRIED_AGAIN) {
          test(`an event of a ${kind.name} client is tried 4 times, then fails: ${what}`, (t) =>
            expectFailure(service, t, kind, answer));
        }

        for (const [what, answer] of FINAL) {
          test(`an event of a ${kind.name} client is tried once, and fails: ${what}`, async (t) => {
            const { handler, hub } = await startAt(service, t);
            handler.answer("user.message", answer);
            const socket = await kind.connect(hub);
            kind.send(socket, { ackId: 1 });
            await kind.fails(socket, 1);
            expectAttempts(handler, 1);
            assert.ok(
              handler.asked.every(({ url }) => !url.includes("elsewhere")),
              "no redirect is followed",
            );
          });
        }

        test(`a ${kind.name} client's event succeeds with the first that does`, async (t) => {
          const { handler, hub } = await startAt(service, t);
          const socket = await kind.connect(hub);
          handler.answer("user.message", { status: 500 }, reset, { status: 408 }, text("at last"));
          kind.send(socket, { ackId: 1 });
          await kind.receives(socket, { dataType: "text", data: "at last" });
          await kind.succeeds(socket, 1);
          expectAttempts(handler, ATTEMPTS);
        });
      }

      test("an answer without an end is hung up on", async (t) => {
        const { handler, hub } = await startAt(service, t);
        handler.answer("user.message", endless);
        const socket = await hub.connectSimple();
        socket.send("hi");
        await (await handler.next("user.message")).over;
        assert.equal((await socket.closed()).code, 1011);
      });

      test("an address without a server fails the event and nothing else", async (t) => {
        const { handler, hub } = await startAt(service, t);
        handler.stop();
        const socket = await hub.connect({ groups: ["room"] });
        assert.equal(
          (await socket.ask({ type: "event", event: "message", data: 1, ackId: 1 })).error.name,
          "InternalServerError",
        );
        await hub.send("/groups/room", "hi");
        assert.equal((await socket.json()).data, "hi");
      });

      test("without an ack id a failure is silent, and the next is sent", async (t) => {
        const { handler, hub } = await startAt(service, t);
        handler.answer("user.message", { status: 400 }, text("better"));
        const socket = await hub.connect();
        socket.send({ type: "event", event: "message", data: 1 });
        socket.send({ type: "event", event: "message", data: 2 });
        assert.equal((await socket.json()).data, "better");
        assert.equal(handler.count("user.message"), 2);
      });

      test("excessive answers do no harm", async (t) => {
        const { handler, hub } = await startAt(service, t);
        const huge = "x".repeat(8_000);
        for (const answer of [
          text("ok", { headers: { "content-type": "text/plain", "ce-connectionState": "x".repeat(13_000) } }),
          text("ok", {
            headers: { "content-type": "text/plain", "ce-connectionState": Buffer.from("ü\u0080").toString("latin1") },
          }),
          text("ok", { headers: { "content-type": "text/plain", "x-webpubsub-metadata-": "no key" } }),
          text("ok", { headers: { "content-type": "text/plain", "x-webpubsub-metadata-a": huge } }),
          text("ok", {
            headers: {
              "content-type": "text/plain",
              "set-cookie": [`a=${huge}`, `b=${huge}`, "=", ";", "a=b; Expires=never; Domain="],
            },
          }),
          text("ok", { headers: { "content-type": huge } }),
        ]) {
          handler.answer("user.message", answer, {});
          const socket = await hub.connect();
          socket.send({ type: "event", event: "message", data: 1, ackId: 1 });
          let frame;
          do frame = await socket.json();
          while (frame.type !== "ack");
          assert.equal((await socket.ask({ type: "event", event: "message", data: 1, ackId: 2 })).success, true);
        }
      });
    });
  },
  { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
);

forEachShardCount(
  "Failures in time",
  (service) => {
    describe("at the same time", { concurrency: true }, () => {
      for (const kind of clientKinds) {
        for (const [what, answer] of [
          ["no answer", hang],
          ["an answer whose body never comes", headOnly],
        ]) {
          test(`an event of a ${kind.name} client that gets ${what} is not repeated`, (t) =>
            expectFailure(service, t, kind, answer, 1));
        }
      }

      test("a handler that does not answer in time is hung up on", async (t) => {
        const { handler, hub } = await startAt(service, t);
        handler.answer("user.message", hang);
        const socket = await hub.connect();
        const started = performance.now();
        socket.send({ type: "event", event: "message", data: 1, ackId: 1 });
        await (await handler.next("user.message")).over;
        assert.equal((await socket.json()).success, false);
        const took = performance.now() - started;
        assert.ok(took > (TIMEOUT_SECONDS - 1) * 1_000, `${took} ms`);
      });
    });
  },
  { steady: OWN_SHARD, variables: { ...AT_ONCE, EVENT_TIMEOUT_SECONDS: TIMEOUT_SECONDS }, inMemory: true },
);
