// A handler that is away for a while: it is left alone, other handlers are not affected, and it is found again.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { ATTEMPTS, EventHandler, OWN_SHARD, reset } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { cases } from "../../support/cases.mjs";

const TIMEOUT_SECONDS = 8;
/** How many failures in a row open the breaker of a URL. */
const FAILURES = 5;
/** In how much time a handler that is back is called again: the breaker's ten seconds, and some. */
const BACK_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 250;

const event = (ackId) => ({ type: "event", event: "chat", dataType: "text", data: "hi", ackId });
const chats = (handler) => handler.asked.filter(({ kind }) => kind === "user.chat");

// Both wait for the breaker most of the time.
describe("Outages", { concurrency: true }, () => {
  forEachShardCount(
    "Outages",
    (service) => {
      describe("at the same time", { concurrency: true }, () => {
        for (const [what, answer] of cases([
          ["answers 500", { status: 500 }],
          ["resets the connection", reset],
        ])) {
          test(`of a handler that ${what}: 4 attempts, a pause, then found again`, async (t) => {
            const handler = await EventHandler.start(t);
            const hub = service.newHub();
            await hub.useHandler(handler, { userEventPattern: "chat", systemEvents: ["disconnected"] });
            const alice = await hub.connect({ roles: ALL_ROLES });
            const others = await Promise.all([
              hub.connect({ groups: ["room"], roles: ALL_ROLES }),
              hub.connectReliable({ groups: ["room"] }),
            ]);
            const publish = async (data) => {
              others[0].send({ type: "sendToGroup", group: "room", data });
              for (const other of others) assert.equal((await other.json()).data, data);
            };
            assert.equal((await alice.ask(event(1))).success, true);
            handler.answer("user.chat", answer);

            const failing = alice.ask(event(2));
            for (let n = 0; n < ATTEMPTS; n++) {
              await handler.next("user.chat");
              await publish(n);
            }
            assert.equal((await failing).error.name, "InternalServerError");
            const attempts = chats(handler).slice(1);
            assert.equal(attempts.length, ATTEMPTS);
            for (const name of ["ce-id", "x-ms-client-request-id"])
              assert.equal(new Set(attempts.map((asked) => asked.header(name))).size, 1, name);

            // One failure more, and it is not asked at all.
            for (let ackId = 3; ackId < 10; ackId++) {
              assert.equal((await alice.ask(event(ackId))).success, false);
              await publish(ackId);
            }
            assert.equal(chats(handler).length, 1 + FAILURES);
            assert.ok((await hub.deliveries()).length <= FAILURES + 3, "what is not tried is no delivery");

            handler.answer("user.chat", {});
            const back = performance.now();
            let ackId = 10;
            while (!(await alice.ask(event(++ackId))).success) {
              assert.ok(performance.now() - back < BACK_WITHIN_MS, "it is called again");
              await publish(ackId);
              await pass(ASK_EVERY_MS);
            }
            assert.ok(performance.now() - back < BACK_WITHIN_MS);
            assert.equal(chats(handler).length, 1 + FAILURES + 1, "one probe");
            await alice.close(1000);
            assert.equal((await handler.next("sys.disconnected")).connection, alice.id);
          });
        }

        test("keep what has to be sent, and send it afterwards, in order", async (t) => {
          const handler = await EventHandler.start(t);
          const hub = service.newHub();
          await hub.useHandler(handler, { systemEvents: ["connected", "disconnected"] });
          for (const kind of ["sys.connected", "sys.disconnected"]) handler.answer(kind, { status: 503 });
          const socket = await hub.connect();
          for (let n = 0; n < ATTEMPTS; n++) await handler.next("sys.connected");
          await socket.close(1000, "bye");
          await handler.next("sys.disconnected");
          // The breaker is open.
          handler.answer("sys.disconnected", {});
          const ended = await handler.next("sys.disconnected");
          assert.deepEqual(ended.json, { reason: "bye" });
          assert.equal(ended.connection, socket.id);
        });
      });
    },
    {
      steady: OWN_SHARD,
      variables: {
        ALLOW_PRIVATE_EVENT_HANDLERS: "true",
        EVENT_RETRY_SECONDS: "0,0,0",
        EVENT_TIMEOUT_SECONDS: TIMEOUT_SECONDS,
      },
    },
  );

  /** The pauses that there are unless the operator says otherwise. */
  const PAUSES_MS = [1_000, 3_000, 5_000];
  /** By how much a busy machine may be late. */
  const LATE_MS = 20_000;

  forEachShardCount(
    "Attempts",
    (service) => {
      test("are 1, 3 and 5 s apart unless the operator says otherwise", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.useHandler(handler);
        handler.answer("user.chat", { status: 500 });
        const socket = await hub.connect();
        assert.equal((await socket.ask(event(1))).success, false);
        const at = chats(handler).map((asked) => asked.at);
        assert.equal(at.length, ATTEMPTS);
        for (const [n, pause] of PAUSES_MS.entries()) {
          const waited = at[n + 1] - at[n];
          assert.ok(waited >= pause - 50 && waited < pause + LATE_MS, `${waited} ms before attempt ${n + 2}`);
        }
      });

      test("at a validation are as far apart, until the first success", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.useHandler(handler);
        handler.answer("OPTIONS", { status: 503 }, { headers: { "WebHook-Allowed-Origin": "*" } });
        const socket = await hub.connect();
        assert.equal((await socket.ask(event(1))).success, true);
        const [first, second] = [await handler.next("OPTIONS"), await handler.next("OPTIONS")];
        assert.ok(second.at - first.at >= PAUSES_MS[0] - 50, `${second.at - first.at} ms`);
        assert.equal(chats(handler).length, 1, "it was sent once");
      });
    },
    { steady: OWN_SHARD, variables: { ALLOW_PRIVATE_EVENT_HANDLERS: "true" } },
  );
});
