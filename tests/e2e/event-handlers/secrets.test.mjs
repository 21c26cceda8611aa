// The secrets by which event handlers know the service: who sees them, where they go, and where they come from.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AT_ONCE, EventHandler, OWN_SHARD } from "../../support/event-handler.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const event = (name, ackId) => ({ type: "event", event: name, dataType: "text", data: "hi", ackId });

forEachShardCount(
  "Handlers' settings",
  (service) => {
    const put = (hub, settings) => service.manage("PUT", `hubs/${hub.name}`, { body: JSON.stringify(settings) });

    describe("at the same time", { concurrency: 8 }, () => {
      test("keep secrets hidden, and keep them when given back hidden", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        const at = (path, auth) => ({ urlTemplate: `${handler.origin}/${path}`, userEventPattern: path, auth });
        const answer = await put(hub, {
          eventHandlers: [
            at("a", { type: "Bearer", token: "canary-one" }),
            at("b", { type: "Header", name: "x-key", value: "canary-two" }),
            at("c", { type: "Bearer", token: { secret: "HANDLER_SECRET_TOKEN" } }),
          ],
        });
        const shown = await service.manage("GET", `hubs/${hub.name}`);
        for (const { body } of [answer, shown]) {
          assert.ok(!body.includes("canary"), body);
          const auths = JSON.parse(body).eventHandlers.map(({ auth }) => auth);
          assert.deepEqual(auths, [
            { type: "Bearer", token: "***" },
            { type: "Header", name: "x-key", value: "***" },
            { type: "Bearer", token: { secret: "HANDLER_SECRET_TOKEN" } },
          ]);
        }
        // In another order, with another pattern and one more.
        const [a, b, c] = JSON.parse(shown.body).eventHandlers;
        await hub.configure({
          eventHandlers: [
            c,
            { ...b, userEventPattern: "b,more" },
            a,
            at("d", { type: "Bearer", token: "canary-three" }),
          ],
        });
        const socket = await hub.connect();
        for (const [n, [name, header, value]] of [
          ["a", "authorization", "Bearer canary-one"],
          ["more", "x-key", "canary-two"],
          ["c", "authorization", "Bearer from a variable"],
          ["d", "authorization", "Bearer canary-three"],
        ].entries()) {
          await socket.ask(event(name, n));
          assert.equal((await handler.next(`user.${name}`)).header(header), value, name);
        }
        // A secret stays with its URL: it is not sent to another.
        const stolen = await put(hub, { eventHandlers: [{ ...a, urlTemplate: "http://localhost:1/thief" }] });
        assert.equal(stolen.status, 400);
        assert.ok(!stolen.body.includes("canary"));
      });

      test("that name a secret that is not there fail events, and say so", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.useHandler(handler, {
          userEventPattern: "*",
          auth: { type: "Bearer", token: { secret: "HANDLER_SECRET_NOT_SET" } },
        });
        const socket = await hub.connect();
        assert.equal((await socket.ask(event("chat", 1))).success, false);
        assert.equal(handler.count("user.chat"), 0);
        const [latest] = (await hub.deliveries()).filter(({ event: name }) => name === "chat");
        assert.equal(latest.status, null);
        assert.ok(latest.error.length > 0);
      });

      test("that name a secret that is not for handlers are refused", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        for (const secret of [
          "WEBPUBSUB_ACCESS_KEY",
          "WEBPUBSUB_ACCESS_KEY_SECONDARY",
          "HUB_SETTINGS",
          "EVENT_TIMEOUT_SECONDS",
          "SHARDS",
          "ASSETS",
          "HANDLER_SECRET_",
        ]) {
          const answer = await put(hub, {
            eventHandlers: [
              { urlTemplate: handler.url, userEventPattern: "*", auth: { type: "Bearer", token: { secret } } },
            ],
          });
          assert.equal(answer.status, 400, secret);
          assert.match(answer.body, /HANDLER_SECRET_/);
        }
        await (await hub.connect()).ask(event("chat", 1));
        assert.deepEqual(handler.asked, []);
      });
    });
  },
  { steady: OWN_SHARD, variables: { ...AT_ONCE, HANDLER_SECRET_TOKEN: "from a variable" }, inMemory: true },
);
