// Abuse protection: a URL is asked whether it wants events, before it gets any.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { clientKinds } from "../../support/client-kinds.mjs";
import { AT_ONCE, ATTEMPTS, EventHandler, garbage, hang, OWN_SHARD, reset } from "../../support/event-handler.mjs";
import { upgrade } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { until } from "../../support/waiting.mjs";
import { cases } from "../../support/cases.mjs";

const TIMEOUT_MS = 10_000;
const TIMEOUT_SECONDS = 4;
const TRIED_AGAIN = cases([
  ["503", { status: 503 }],
  ["500", { status: 500, headers: { "WebHook-Allowed-Origin": "*" } }],
  ["408", { status: 408 }],
  ["a connection that is reset", reset],
  ["what is no HTTP", garbage],
]);
/** How long after the first failure the next handshake is due, and a little more: clocks need not agree to a millisecond. */
const AGAIN_MS = 1_000;
const AND_MORE_MS = 100;

const event = (ackId) => ({ type: "event", event: "chat", dataType: "text", data: "hi", ackId });
const allowed = (origin, more) => ({ headers: { "WebHook-Allowed-Origin": origin }, ...more });

// Both wait for a handler that does not answer most of the time.
describe("Validation of URLs", { concurrency: true }, () => {
  forEachShardCount(
    "Validation",
    (service) => {
      const host = () => new URL(service.endpoint).host;

      describe("at the same time", { concurrency: 8 }, () => {
        test("comes before the first event, which waits, with OPTIONS", async (t) => {
          const handler = await EventHandler.start(t);
          const hub = service.newHub();
          await hub.configure({
            eventHandlers: [{ urlTemplate: `${handler.origin}/{hub}/{event}?code=a%20b`, userEventPattern: "*" }],
          });
          const validate = handler.hold("OPTIONS");
          const alice = await hub.connect({ user: "alice" });
          alice.send(event(1));
          const asked = await handler.next("OPTIONS");
          assert.equal(asked.url, `/${hub.name}/validate?code=a%20b`);
          assert.equal(asked.header("WebHook-Request-Origin"), host());
          assert.equal(asked.header("ce-awpsversion"), "1.0");
          assert.deepEqual(
            [
              asked.text,
              asked.all("ce-type"),
              asked.all("WebHook-Request-Callback"),
              asked.all("WebHook-Request-Rate"),
            ],
            ["", [], [], []],
          );
          await alice.expectSilence();
          assert.deepEqual(handler.kinds(), [], "the event waits");
          validate(allowed("*"));
          assert.equal((await handler.next("user.chat")).url, `/${hub.name}/chat?code=a%20b`);
          assert.equal((await alice.json()).success, true);
        });

        test("is asked for with GET where OPTIONS is answered 404", async (t) => {
          const handler = await EventHandler.start(t);
          handler.answer("OPTIONS", { status: 404, ...allowed("*") });
          const hub = service.newHub();
          await hub.useHandler(handler);
          assert.equal((await (await hub.connect()).ask(event(1))).success, true);
          const [options, get] = [await handler.next("OPTIONS"), await handler.next("GET")];
          assert.equal(get.url, options.url);
          for (const name of ["WebHook-Request-Origin", "ce-awpsversion"])
            assert.equal(get.header(name), options.header(name), name);
        });

        test("holds for a URL: connections, events and shards share it", async (t) => {
          const handler = await EventHandler.start(t);
          const hub = service.newHub();
          await hub.configure({
            eventHandlers: [
              {
                urlTemplate: `${handler.origin}/{event}`,
                userEventPattern: "*",
                systemEvents: ["connect", "connected"],
              },
            ],
          });
          const validate = handler.hold("OPTIONS");
          const connecting = Array.from({ length: 8 }, () => hub.connect());
          await handler.next("OPTIONS");
          validate(allowed("*"));
          const sockets = await Promise.all(connecting);
          for (const [n, name] of ["chat", "news", "chat"].entries()) {
            for (const socket of sockets) assert.equal((await socket.ask({ ...event(n), event: name })).success, true);
          }
          assert.equal(handler.count("OPTIONS"), 1);
          assert.equal(handler.count("GET"), 0);
        });

        for (const [what, answer] of cases([
          ["any origin", () => allowed("*")],
          ["the service's host", () => allowed(host())],
          ["the host in another case", () => allowed(host().toUpperCase())],
          ["a list with the host in it", () => allowed(`a.example, ${host()} ,b.example`)],
          ["several headers, the host in one of them", () => allowed(["a.example", host()])],
          ["no content", () => allowed("*", { status: 204 })],
          ["a status that is none of the usual ones", () => allowed("*", { status: 299 })],
        ])) {
          test(`is passed by an answer that allows ${what}`, async (t) => {
            const handler = await EventHandler.start(t);
            handler.answer("OPTIONS", answer());
            const hub = service.newHub();
            await hub.useHandler(handler);
            assert.equal((await (await hub.connect()).ask(event(1))).success, true);
          });
        }

        for (const [what, answer] of [
          ["no origin", {}],
          ["an empty origin", allowed("")],
          ["another host", allowed("other.example")],
          ["the host at another port", allowed("localhost:1, 127.0.0.1:1")],
          ["an origin with a scheme", allowed("http://*")],
          [
            "everybody, with a redirect",
            allowed("*", { status: 302, headers: { "WebHook-Allowed-Origin": "*", location: "/elsewhere" } }),
          ],
          ["everybody, with 400", allowed("*", { status: 400 })],
          ["everybody, with 405", allowed("*", { status: 405 })],
          ["everybody, with 500", allowed("*", { status: 500 })],
          ["no server, the connection being reset", reset],
          ["no server, in no HTTP", garbage],
        ]) {
          test(`is not passed by an answer that allows ${what}`, async (t) => {
            const handler = await EventHandler.start(t);
            handler.answer("OPTIONS", answer);
            const hub = service.newHub();
            await hub.useHandler(handler);
            const alice = await hub.connect();
            const ack = await alice.ask(event(1));
            assert.deepEqual([ack.success, ack.error?.name], [false, "InternalServerError"]);
            assert.deepEqual(handler.kinds(), [], "no event was sent");
            assert.equal(handler.count("GET"), 0);
            await alice.expectSilence();
          });
        }

        test("is not passed where GET is answered 404, too", async (t) => {
          const handler = await EventHandler.start(t);
          for (const method of ["OPTIONS", "GET"]) handler.answer(method, allowed("*", { status: 404 }));
          const hub = service.newHub();
          await hub.useHandler(handler);
          assert.equal((await (await hub.connect()).ask(event(1))).success, false);
          assert.deepEqual(handler.kinds(), []);
          assert.ok(handler.count("GET") > 0);
        });

        for (const kind of clientKinds) {
          test(`that is not passed fails the event of a ${kind.name} client`, async (t) => {
            const handler = await EventHandler.start(t);
            handler.answer("OPTIONS", { status: 403 });
            const hub = service.newHub();
            await hub.useHandler(handler);
            const socket = await kind.connect(hub);
            kind.send(socket, { ackId: 1 });
            await kind.fails(socket, 1);
          });
        }

        test("that fails refuses clients with 500 and drops notifications", async (t) => {
          const handler = await EventHandler.start(t);
          handler.answer("OPTIONS", { status: 403 });
          const [asked, notified] = [service.newHub(), service.newHub()];
          await asked.useHandler(handler, { systemEvents: ["connect"] });
          const { status } = await upgrade(
            service.endpoint,
            `/client/hubs/${asked.name}?access_token=${asked.token()}`,
          );
          assert.equal(status, 500);
          await notified.useHandler(handler, { systemEvents: ["connected", "disconnected"], userEventPattern: "*" });
          const alice = await notified.connect();
          // The event waits for what has to be sent before it.
          assert.equal((await alice.ask(event(1))).success, false);
          assert.deepEqual(handler.kinds(), []);
          assert.ok((await notified.deliveries()).length > 0);
        });

        test("that failed is repeated; its last result counts meanwhile", async (t) => {
          const handler = await EventHandler.start(t);
          handler.answer("OPTIONS", { status: 403 }, allowed("*"));
          const hub = service.newHub();
          await hub.useHandler(handler);
          const alice = await hub.connect();
          assert.equal((await alice.ask(event(1))).success, false);
          const first = await handler.next("OPTIONS");
          await pass(AGAIN_MS + AND_MORE_MS);
          await alice.ask(event(2));
          const second = await handler.next("OPTIONS");
          await second.over;
          assert.ok(second.at - first.at >= AGAIN_MS - 100, `${second.at - first.at} ms after the first`);
          let ackId = 2;
          await until(async () => (await alice.ask(event(++ackId))).success, "what the second handshake came to");
          assert.equal(handler.count("OPTIONS"), 2);
        });

        test("waits ten seconds for an answer, and no second time", async (t) => {
          const handler = await EventHandler.start(t);
          handler.answer("OPTIONS", hang);
          const hub = service.newHub();
          await hub.useHandler(handler);
          const alice = await hub.connect();
          const asked = performance.now();
          assert.equal((await alice.ask(event(1))).success, false);
          const waited = performance.now() - asked;
          assert.ok(waited > TIMEOUT_MS - 100, `${waited} ms`);
          assert.equal(handler.count("OPTIONS"), 1);
        });

        for (const [what, answer] of TRIED_AGAIN) {
          for (const kind of clientKinds) {
            test(`is tried again after ${what}, and the event of a ${kind.name} client succeeds`, async (t) => {
              const handler = await EventHandler.start(t);
              handler.answer("OPTIONS", answer, allowed("*"));
              const hub = service.newHub();
              await hub.useHandler(handler);
              handler.answer("user.message", { headers: { "content-type": "text/plain" }, body: "hey" });
              const socket = await kind.connect(hub);
              kind.send(socket, { ackId: 1 });
              await kind.receives(socket, { dataType: "text", data: "hey" });
              await kind.succeeds(socket, 1);
              assert.equal(handler.count("OPTIONS"), 2);
              assert.equal(handler.count("user.message"), 1);
            });
          }

          test(`is tried again after ${what} for connect and notifications`, async (t) => {
            const handler = await EventHandler.start(t);
            handler.answer("OPTIONS", answer, allowed("*"));
            const [asked, notified] = [service.newHub(), service.newHub()];
            await asked.useHandler(handler, { systemEvents: ["connect"] });
            await asked.connect();
            assert.equal(handler.count("OPTIONS"), 2);
            handler.answer("OPTIONS", answer, allowed("*"));
            await notified.useHandler(handler, { systemEvents: ["connected"] });
            await notified.connect();
            await handler.next("sys.connected");
            assert.equal(handler.count("OPTIONS"), 4);
          });

          test(`is tried four times at most: ${what}`, async (t) => {
            const handler = await EventHandler.start(t);
            handler.answer("OPTIONS", answer);
            const hub = service.newHub();
            await hub.useHandler(handler);
            assert.equal((await (await hub.connect()).ask(event(1))).success, false);
            assert.equal(handler.count("OPTIONS"), ATTEMPTS);
            const tried = (await hub.deliveries()).filter((one) => one.event === "validate");
            assert.deepEqual(
              tried.map(({ attempt }) => attempt),
              [4, 3, 2, 1],
            );
          });
        }

        for (const status of [302, 400, 401, 403, 405, 429]) {
          test(`is final: ${status}`, async (t) => {
            const handler = await EventHandler.start(t);
            handler.answer("OPTIONS", { status });
            const hub = service.newHub();
            await hub.useHandler(handler);
            assert.equal((await (await hub.connect()).ask(event(1))).success, false);
            assert.equal(handler.count("OPTIONS"), 1);
          });
        }

        test("is retried once for all that wait, and counts once", async (t) => {
          const handler = await EventHandler.start(t);
          const validate = handler.hold("OPTIONS");
          const hub = service.newHub();
          await hub.useHandler(handler);
          const sockets = await Promise.all(Array.from({ length: 12 }, () => hub.connect()));
          const acks = sockets.map((socket) => socket.ask(event(1)));
          await handler.next("OPTIONS");
          handler.answer("OPTIONS", { status: 503 }, { status: 503 }, allowed("*"));
          validate({ status: 503 });
          for (const ack of await Promise.all(acks)) assert.equal(ack.success, true);
          assert.equal(handler.count("OPTIONS"), ATTEMPTS);
        });

        test("that is due again is retried; its last result counts", async (t) => {
          const handler = await EventHandler.start(t);
          handler.answer("OPTIONS", { status: 403 }, { status: 503 }, reset, allowed("*"));
          const hub = service.newHub();
          await hub.useHandler(handler);
          const alice = await hub.connect();
          assert.equal((await alice.ask(event(1))).success, false);
          await pass(AGAIN_MS + AND_MORE_MS);
          assert.equal((await alice.ask(event(2))).success, false, "what came of the first holds meanwhile");
          const isValidated = ({ event, error }) => event === "validate" && error === null;
          await until(async () => (await hub.deliveries()).some(isValidated), "the end of the second");
          assert.equal((await alice.ask(event(3))).success, true);
          assert.equal(handler.count("OPTIONS"), ATTEMPTS);
        });
      });
    },
    { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
  );

  forEachShardCount(
    "Validation in time",
    (service) => {
      test("is part of the time that an event has", async (t) => {
        const handler = await EventHandler.start(t);
        handler.answer("OPTIONS", hang);
        const hub = service.newHub();
        await hub.useHandler(handler, { userEventPattern: "*", systemEvents: ["connect"] });
        const { status } = await upgrade(service.endpoint, `/client/hubs/${hub.name}?access_token=${hub.token()}`);
        assert.equal(status, 500);
        assert.equal(handler.count("OPTIONS"), 1);
        const ended = (await hub.deliveries()).filter((one) => one.event === "connect");
        for (const { durationMs } of ended) assert.ok(durationMs < (TIMEOUT_SECONDS + 5) * 1_000, `${durationMs} ms`);
      });
    },
    { steady: OWN_SHARD, variables: { ...AT_ONCE, EVENT_TIMEOUT_SECONDS: TIMEOUT_SECONDS }, inMemory: true },
  );
});
