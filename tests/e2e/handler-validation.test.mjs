// Abuse protection: a URL is asked whether it wants events, before it gets any.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { clientKinds } from "../support/client-kinds.mjs";
import { AT_ONCE, EventHandler, garbage, hang, OWN_SHARD, reset } from "../support/event-handler.mjs";
import { upgrade } from "../support/rest.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { until } from "../support/waiting.mjs";

const TIMEOUT_MS = 10_000;
/** How long after the first failure the next handshake is due. */
const AGAIN_MS = 1_000;

const event = (ackId) => ({ type: "event", event: "chat", dataType: "text", data: "hi", ackId });
const allowed = (origin, more) => ({ headers: { "WebHook-Allowed-Origin": origin }, ...more });

// Both wait for a handler that does not answer most of the time.
describe("Validation of URLs", { concurrency: true }, () => {
  forEachShardCount(
    "Validation",
    (service) => {
      const host = () => new URL(service.endpoint).host;

      describe("at the same time", { concurrency: 8 }, () => {
        test("comes before the first event, which waits for it, and is asked for with OPTIONS", async (t) => {
          const handler = await EventHandler.start(t);
          const hub = service.newHub();
          await hub.configure({ eventHandlers: [{ urlTemplate: `${handler.origin}/{hub}/{event}?code=a%20b`, userEventPattern: "*" }] });
          const validate = handler.hold("OPTIONS");
          const alice = await hub.connect({ user: "alice" });
          alice.send(event(1));
          const asked = await handler.next("OPTIONS");
          assert.equal(asked.url, `/${hub.name}/validate?code=a%20b`);
          assert.equal(asked.header("WebHook-Request-Origin"), host());
          assert.equal(asked.header("ce-awpsversion"), "1.0");
          assert.deepEqual([asked.text, asked.all("ce-type"), asked.all("WebHook-Request-Callback"), asked.all("WebHook-Request-Rate")], ["", [], [], []]);
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
          await hub.tell(handler);
          assert.equal((await (await hub.connect()).ask(event(1))).success, true);
          const [options, get] = [await handler.next("OPTIONS"), await handler.next("GET")];
          assert.equal(get.url, options.url);
          for (const name of ["WebHook-Request-Origin", "ce-awpsversion"]) assert.equal(get.header(name), options.header(name), name);
        });

        test("holds for a URL: connections, events and shards share it", async (t) => {
          const handler = await EventHandler.start(t);
          const hub = service.newHub();
          await hub.configure({ eventHandlers: [{ urlTemplate: `${handler.origin}/{event}`, userEventPattern: "*", systemEvents: ["connect", "connected"] }] });
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

        for (const [what, answer] of [
          ["any origin", () => allowed("*")],
          ["the service's host", () => allowed(host())],
          ["the host in another case", () => allowed(host().toUpperCase())],
          ["a list with the host in it", () => allowed(`a.example, ${host()} ,b.example`)],
          ["several headers, the host in one of them", () => allowed(["a.example", host()])],
          ["no content", () => allowed("*", { status: 204 })],
          ["a status that is none of the usual ones", () => allowed("*", { status: 299 })],
        ]) {
          test(`is passed by an answer that allows ${what}`, async (t) => {
            const handler = await EventHandler.start(t);
            handler.answer("OPTIONS", answer());
            const hub = service.newHub();
            await hub.tell(handler);
            assert.equal((await (await hub.connect()).ask(event(1))).success, true);
          });
        }

        for (const [what, answer] of [
          ["nobody", {}],
          ["an empty origin", allowed("")],
          ["another host", allowed("other.example")],
          ["the host at another port", allowed("localhost:1, 127.0.0.1:1")],
          ["an origin with a scheme", allowed("http://*")],
          ["everybody, with a redirect", allowed("*", { status: 302, headers: { "WebHook-Allowed-Origin": "*", location: "/elsewhere" } })],
          ["everybody, with 400", allowed("*", { status: 400 })],
          ["everybody, with 405", allowed("*", { status: 405 })],
          ["everybody, with 500", allowed("*", { status: 500 })],
          ["nobody, the connection being reset", reset],
          ["nobody, in no HTTP", garbage],
        ]) {
          test(`is not passed by an answer that allows ${what}`, async (t) => {
            const handler = await EventHandler.start(t);
            handler.answer("OPTIONS", answer);
            const hub = service.newHub();
            await hub.tell(handler);
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
          await hub.tell(handler);
          assert.equal((await (await hub.connect()).ask(event(1))).success, false);
          assert.deepEqual(handler.kinds(), []);
          assert.ok(handler.count("GET") > 0);
        });

        for (const kind of clientKinds) {
          test(`that is not passed fails the event of a ${kind.name} client`, async (t) => {
            const handler = await EventHandler.start(t);
            handler.answer("OPTIONS", { status: 403 });
            const hub = service.newHub();
            await hub.tell(handler);
            const socket = await kind.connect(hub);
            kind.send(socket, { ackId: 1 });
            await kind.fails(socket, 1);
          });
        }

        test("that is not passed answers a client 500 where its connecting is asked about, and drops what is only told", async (t) => {
          const handler = await EventHandler.start(t);
          handler.answer("OPTIONS", { status: 403 });
          const [asked, told] = [service.newHub(), service.newHub()];
          await asked.tell(handler, { systemEvents: ["connect"] });
          const { status } = await upgrade(service.endpoint, `/client/hubs/${asked.name}?access_token=${asked.token()}`);
          assert.equal(status, 500);
          await told.tell(handler, { systemEvents: ["connected", "disconnected"], userEventPattern: "*" });
          const alice = await told.connect();
          // The event waits for what has to be told before it.
          assert.equal((await alice.ask(event(1))).success, false);
          assert.deepEqual(handler.kinds(), []);
          assert.ok((await told.deliveries()).length > 0);
        });

        test("that was not passed is asked for again, and events go by the last result until then", async (t) => {
          const handler = await EventHandler.start(t);
          handler.answer("OPTIONS", { status: 403 }, allowed("*"));
          const hub = service.newHub();
          await hub.tell(handler);
          const alice = await hub.connect();
          assert.equal((await alice.ask(event(1))).success, false);
          const first = await handler.next("OPTIONS");
          await pass(AGAIN_MS);
          await alice.ask(event(2));
          const second = await handler.next("OPTIONS");
          await second.over;
          assert.ok(second.at - first.at >= AGAIN_MS - 100, `${second.at - first.at} ms after the first`);
          let ackId = 2;
          await until(async () => (await alice.ask(event(++ackId))).success, "what the second handshake came to");
          assert.equal(handler.count("OPTIONS"), 2);
        });

        test("gives up after ten seconds", async (t) => {
          const handler = await EventHandler.start(t);
          handler.answer("OPTIONS", hang);
          const hub = service.newHub();
          await hub.tell(handler);
          const alice = await hub.connect();
          const started = performance.now();
          assert.equal((await alice.ask(event(1))).success, false);
          const took = performance.now() - started;
          assert.ok(took > TIMEOUT_MS - 500, `${took} ms`);
          assert.deepEqual(handler.kinds(), []);
        });
      });
    },
    { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
  );
});
