// What an operator can see of a hub's event handlers, and try: their deliveries, and a test of each.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { AT_ONCE, EventHandler, OWN_SHARD, reset } from "../../support/event-handler.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { until } from "../../support/waiting.mjs";

const KEPT = 200;
const TIMEOUT_SECONDS = 12;
const URL_TEMPLATE = "http://localhost:1/eventhandler";

const event = (name, ackId) => ({ type: "event", event: name, dataType: "text", data: "hi", ackId });

forEachShardCount(
  "Handlers, as an operator sees them",
  (service) => {
    describe("at the same time", { concurrency: 8 }, () => {
      test("show each attempt delivered, newest first, and no content", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.configure({
          eventHandlers: [
            {
              urlTemplate: `${handler.url}?code=canary-url`,
              userEventPattern: "*",
              systemEvents: ["connect", "connected"],
              auth: { type: "Bearer", token: "canary-auth" },
            },
          ],
        });
        assert.deepEqual(await hub.deliveries(), []);
        const socket = await hub.connect({ user: "canary-user" });
        handler.answer("user.chat", { status: 503, body: "canary-body" }, reset, {
          headers: { "ce-connectionState": "canary-state", "set-cookie": "canary=cookie" },
        });
        assert.equal(
          (await socket.ask({ ...event("chat", 1), data: "canary-data", metadata: { a: "canary-metadata" } })).success,
          true,
        );
        handler.answer("user.chat", { status: 429 });
        await socket.ask(event("chat", 2));
        // What the Worker reports of connecting need not be there at once.
        let deliveries;
        await until(
          async () => (deliveries = await hub.deliveries()).some((one) => one.event === "connect"),
          "the delivery of connect",
        );
        const chats = deliveries.filter((one) => one.event === "chat");
        assert.deepEqual(
          chats.map(({ attempt, status }) => [attempt, status]),
          [
            [1, 429],
            [3, 200],
            [2, null],
            [1, 503],
          ],
        );
        assert.deepEqual(
          chats.map(({ error }) => error),
          ["Status", null, "Network", "Status"],
        );
        assert.deepEqual(
          deliveries
            .filter(({ event: name }) => ["connect", "connected"].includes(name))
            .map(({ event: name, status, error }) => [name, status, error])
            .sort(),
          [
            ["connect", 200, null],
            ["connected", 200, null],
          ],
        );
        const [handshake] = deliveries.filter((one) => one.event === "validate");
        assert.deepEqual([handshake.status, handshake.connectionId], [200, null]);
        for (const one of deliveries) {
          assert.ok(Math.abs(Date.parse(one.time) - Date.now()) < 60_000, one.time);
          assert.ok(Number.isInteger(one.durationMs) && one.durationMs >= 0, `${one.durationMs}`);
          assert.ok(one.connectionId === socket.id || one.event === "validate");
          assert.equal(one.url, handler.url);
        }
        const times = deliveries.map(({ time }) => Date.parse(time));
        assert.deepEqual(
          times,
          times.toSorted((a, b) => b - a),
        );
        assert.ok(!JSON.stringify(deliveries).includes("canary"), JSON.stringify(deliveries));
      });

      test(`show the last ${KEPT} deliveries of a hub, of all its shards`, async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.useHandler(handler);
        const sockets = await Promise.all(Array.from({ length: 5 }, () => hub.connect()));
        for (let n = 0; n < 50; n++) await Promise.all(sockets.map((socket) => socket.ask(event(`e${n}`, n))));
        const deliveries = await hub.deliveries();
        assert.equal(deliveries.length, KEPT);
        assert.equal(new Set(deliveries.map(({ connectionId }) => connectionId)).size, sockets.length);
        assert.equal(deliveries.filter((one) => one.event === "e49").length, sockets.length);
        assert.ok(!deliveries.some((one) => one.event === "e0"));
      });

      test("can be tested: handshake and signed sample, step by step", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.configure({
          eventHandlers: [
            { urlTemplate: URL_TEMPLATE, userEventPattern: "nothing" },
            {
              urlTemplate: `${handler.origin}/{event}`,
              userEventPattern: "*",
              auth: { type: "Bearer", token: "canary" },
            },
            { urlTemplate: `${handler.origin}/named/{event}`, userEventPattern: "chat,news" },
          ],
        });
        const run = async (index) => {
          const { status, body } = await service.manage("POST", `hubs/${hub.name}/eventHandlers/${index}/:test`);
          assert.equal(status, 200, body);
          assert.ok(!body.includes("canary"));
          return JSON.parse(body);
        };
        const good = await run(1);
        assert.deepEqual(
          good.steps.map(({ step, ok, status }) => [step, ok, status]),
          [
            ["validation", true, 200],
            ["event", true, 200],
          ],
        );
        for (const { result } of good.steps) assert.ok(result.length > 10, result);
        assert.match(good.note, /sendToGroup/);
        assert.equal((await handler.next("OPTIONS")).url, "/validate");
        const sample = await handler.next("user.test");
        assert.deepEqual(
          [sample.url, sample.text, sample.header("content-type").split(";")[0]],
          ["/test", "A test of the event handler.", "text/plain"],
        );
        assert.equal(sample.header("authorization"), "Bearer canary");
        assert.equal(
          sample.header("ce-signature").split(",")[0],
          `sha256=${createHmac("sha256", service.key).update(sample.connection).digest("hex")}`,
        );
        assert.equal(sample.header("ce-source"), `/hubs/${hub.name}/client/${sample.connection}`);
        assert.equal(await hub.exists(`/connections/${sample.connection}`), false);

        await run(2);
        assert.equal((await handler.next("user.chat")).url, "/named/chat");

        handler.answer("user.test", { status: 404 });
        const unhandled = await run(1);
        assert.deepEqual(
          unhandled.steps.map(({ ok, status }) => [ok, status]),
          [
            [true, 200],
            [false, 404],
          ],
        );
        handler.answer("OPTIONS", { status: 403 });
        const [refused] = (await run(1)).steps;
        assert.deepEqual([refused.step, refused.ok, refused.status], ["validation", false, 403]);
        handler.answer("OPTIONS", {});
        const [unnamed] = (await run(1)).steps;
        assert.deepEqual([unnamed.ok, unnamed.status], [false, 200]);
        assert.match(unnamed.result, /WebHook-Allowed-Origin/);
        const [noServer] = (await run(0)).steps;
        assert.deepEqual([noServer.ok, noServer.status], [false, null]);
      });

      test("are an operator's: 401 without a token, 404, 405", async () => {
        const hub = service.newHub();
        await hub.configure({ eventHandlers: [{ urlTemplate: URL_TEMPLATE }] });
        for (const [method, path] of [
          ["GET", "deliveries"],
          ["POST", "eventHandlers/0/:test"],
        ]) {
          const target = `hubs/${hub.name}/${path}`;
          assert.equal((await service.manage(method, target, { token: "" })).status, 401, path);
          assert.equal((await service.manage("PUT", target)).status, 405, path);
        }
        for (const index of ["1", "-1", "x", "99999999999999999999"]) {
          assert.equal(
            (await service.manage("POST", `hubs/${hub.name}/eventHandlers/${index}/:test`)).status,
            404,
            index,
          );
        }
        assert.deepEqual(await service.newHub().deliveries(), []);
      });
    });
  },
  { steady: OWN_SHARD, variables: { ...AT_ONCE, EVENT_TIMEOUT_SECONDS: TIMEOUT_SECONDS }, inMemory: true },
);
