// Microsoft's Express middleware, unmodified, as the event handler, with Microsoft's client and ours.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { WebPubSubEventHandler } from "@azure/web-pubsub-express";
import * as microsoft from "@azure/web-pubsub-client";
import express from "express";
import { ATTEMPTS, AT_ONCE, OWN_SHARD } from "../support/event-handler.mjs";
import { connectProtobuf, DATA, field, message, refused } from "../support/protobuf.mjs";
import { portOf } from "../support/port.mjs";
import { forEachRunner } from "../support/service.mjs";
import { JSON_V1, PROTOBUF_V1, Refused, Socket } from "../support/socket.mjs";
import { loadOurClient } from "../support/our-client.mjs";
import { Queue } from "../support/waiting.mjs";
import { Kit } from "./client-suite/kit.mjs";
import { cases } from "../support/cases.mjs";

const EVERYTHING = {
  userEventPattern: "*",
  systemEvents: ["connect", "connected", "disconnected"],
  groupPresenceEvents: { eventNames: ["joined", "left"], groupFilters: ["*"] },
};

const ours = await loadOurClient();
const buffer = (bytes) => Uint8Array.from(bytes).buffer;

/**
 * What is sent as an event and what the middleware makes of it, then what it answers and what the client makes of that.
 * @typedef {[dataType: "text" | "json" | "binary", sent: unknown, got: unknown, answer: string | ArrayBuffer, received: unknown]} Exchange
 */

forEachRunner(
  "Microsoft's Express middleware",
  (service) => {
    /**
     * An Express server with the middleware, and a hub whose events go to it.
     * @param {import("node:test").TestContext} t
     * @param {import("@azure/web-pubsub-express").WebPubSubEventHandlerOptions} options
     * @param {{ path?: string, [setting: string]: unknown }} which
     */
    async function start(t, options, { path = "/eventhandler", ...which } = EVERYTHING) {
      const hub = service.newHub();
      const middleware = new WebPubSubEventHandler(hub.name, { path: "/eventhandler", ...options });
      const app = express();
      const asked = [];
      app.use((request, _, next) => {
        asked.push(`${request.method} ${request.path}`);
        next();
      });
      app.use(middleware.getMiddleware());
      const server = app.listen(0, "127.0.0.1");
      await new Promise((resolve) => server.on("listening", resolve));
      server.keepAliveTimeout = 0;
      t.after(() => (server.close(), server.closeAllConnections()));
      const origin = `http://127.0.0.1:${portOf(server)}`;
      await hub.configure({ eventHandlers: [{ urlTemplate: `${origin}${path}`, ...which }] });
      return { hub, asked };
    }

    test("accepts a client with its user, groups, roles and state", async (t) => {
      const requests = new Queue();
      const { hub } = await start(t, {
        handleConnect(request, response) {
          requests.push(request);
          response.setState("visits", 1);
          response.success({ userId: "bob", groups: ["room"], roles: ["webpubsub.sendToGroup"], subprotocol: JSON_V1 });
        },
        handleUserEvent(request, response) {
          requests.push(request);
          response.success();
        },
      });
      const url = hub.clientUrl({ user: "alice" });
      const socket = await Socket.open(`${url}&tenant=a`, {
        protocols: [PROTOBUF_V1, JSON_V1],
        headers: { origin: "https://app.example" },
      });
      assert.equal(socket.protocol, JSON_V1);
      const { userId, connectionId } = await socket.json();
      assert.equal(userId, "bob");
      const { context, claims, queries, headers, subprotocols } = await requests.next("handleConnect");
      assert.deepEqual(
        [context.hub, context.connectionId, context.userId, context.eventName, context.origin],
        [hub.name, connectionId, "alice", "connect", new URL(service.endpoint).host],
      );
      assert.ok(context.signature.startsWith("sha256="));
      assert.deepEqual([claims.sub, queries.tenant, subprotocols], [["alice"], ["a"], [PROTOBUF_V1, JSON_V1]]);
      assert.deepEqual(headers[Object.keys(headers).find((name) => name.toLowerCase() === "origin") ?? ""], [
        "https://app.example",
      ]);
      assert.equal(
        (await socket.ask({ type: "sendToGroup", group: "room", dataType: "text", data: "hi", ackId: 1, noEcho: true }))
          .success,
        true,
      );
      await hub.send("/groups/room", "inside");
      assert.equal((await socket.json()).data, "inside");
      assert.equal((await socket.ask({ type: "event", event: "chat", data: 1, ackId: 2 })).success, true);
      const { context: later } = await requests.next("handleUserEvent");
      assert.deepEqual([later.userId, later.states], ["bob", { visits: 1 }]);
    });

    test("accepts a client without a word about it", async (t) => {
      const { hub } = await start(t, { handleConnect: (_, response) => response.success() });
      assert.equal((await hub.connect({ user: "alice" })).connected.userId, "alice");
    });

    for (const [code, words] of /** @type {[400 | 401 | 500, string | undefined][]} */ ([
      [400, "bad, ü"],
      [401, "who are you?"],
      [500, undefined],
    ])) {
      test(`refuses a client with ${code}`, async (t) => {
        const { hub, asked } = await start(t, {
          handleConnect: (_, response) => response.fail(code, words ?? "a secret"),
        });
        await assert.rejects(hub.connect(), (error) => {
          assert.ok(error instanceof Refused);
          assert.equal(error.status, code);
          assert.equal(words === undefined ? error.body.includes("secret") : error.body, words ?? false);
          return true;
        });
        assert.equal(asked.filter((one) => one.startsWith("POST")).length, code === 500 ? ATTEMPTS : 1);
      });
    }

    test("receives `connected` and `disconnected`", async (t) => {
      const delivered = new Queue();
      const { hub } = await start(t, {
        onConnected: (request) => delivered.push(request),
        onDisconnected: (request) => delivered.push(request),
      });
      const socket = await hub.connect({ user: "alice" });
      const { context } = await delivered.next("onConnected");
      assert.deepEqual(
        [context.eventName, context.userId, context.connectionId, context.states],
        ["connected", "alice", socket.id, {}],
      );
      await socket.close(1000, "bye");
      const gone = await delivered.next("onDisconnected");
      assert.deepEqual(
        [gone.context.eventName, gone.context.connectionId, gone.reason],
        ["disconnected", socket.id, "bye"],
      );
    });

    test("receives who joins and leaves a group", async (t) => {
      const delivered = new Queue();
      const { hub } = await start(t, {
        onGroupJoined: (request) => delivered.push(["joined", request]),
        onGroupLeft: (request) => delivered.push(["left", request]),
      });
      const socket = await hub.connect({ user: "alice", roles: ["webpubsub.joinLeaveGroup"] });
      for (const [type, name] of [
        ["joinGroup", "joined"],
        ["leaveGroup", "left"],
      ]) {
        await socket.ask({ type, group: "room", ackId: name.length });
        const [event, { group, context }] = await delivered.next(name);
        assert.deepEqual(
          [event, group, context.eventName, context.connectionId, context.userId],
          [name, "room", name, socket.id, "alice"],
        );
      }
    });

    test("keeps state on a connection, changes it, and leaves it alone", async (t) => {
      const seen = new Queue();
      const { hub } = await start(t, {
        handleConnect(_, response) {
          response.setState("name", "ü");
          response.success();
        },
        onConnected: ({ context }) => seen.push({ ...context.states }),
        handleUserEvent({ context, data }, response) {
          seen.push({ ...context.states });
          if (data !== "look") response.setState("last", data);
          response.success();
        },
        onDisconnected: ({ context }) => seen.push({ ...context.states }),
      });
      const socket = await hub.connect();
      for (const [n, data] of ["one", "look", "two"].entries()) {
        assert.equal(
          (await socket.ask({ type: "event", event: "chat", dataType: "text", data, ackId: n })).success,
          true,
        );
      }
      await socket.close(1000);
      for (const states of [
        { name: "ü" },
        { name: "ü" },
        { name: "ü", last: "one" },
        { name: "ü", last: "one" },
        { name: "ü", last: "two" },
      ]) {
        assert.deepEqual(await seen.next("state"), states);
      }
    });

    for (const [title, { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol }] of [
      ["Microsoft's client", microsoft],
      ["our client", ours],
    ]) {
      for (const makeProtocol of [WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol]) {
        const kit = new Kit(service, WebPubSubClient, makeProtocol);

        describe(`with ${title}, ${kit.reliable ? "reliable" : "plain"}`, () => {
          afterEach(() => kit.stopAll());

          for (const [dataType, sent, got, answer, received] of /** @type {Exchange[]} */ ([
            ["text", "hi ü", "hi ü", "Hey hi ü", "Hey hi ü"],
            ["json", { a: [1, "ü"] }, { a: [1, "ü"] }, '{"b":"ü"}', { b: "ü" }],
            ["binary", buffer([0, 255]), Buffer.from([0, 255]), Buffer.from([1, 254]), [1, 254]],
          ])) {
            test(`takes an event and answers it: ${dataType}`, async (t) => {
              const requests = new Queue();
              const { hub } = await start(t, {
                handleUserEvent(request, response) {
                  requests.push(request);
                  response.success(answer, dataType);
                },
              });
              const { client, events, id } = await kit.connect(hub, { user: "alice" });
              assert.equal((await client.sendEvent("message", sent, dataType)).isDuplicated, false);
              const { data, dataType: type, context } = await requests.next("handleUserEvent");
              assert.deepEqual(
                [data, type, context.eventName, context.userId, context.connectionId],
                [got, dataType, "message", "alice", id],
              );
              assert.deepEqual(await events.message("server-message"), {
                kind: "serverData",
                dataType,
                data: received,
              });
            });
          }

          for (const code of /** @type {const} */ ([400, 401, 500])) {
            test(`fails an event with ${code}`, async (t) => {
              const { hub } = await start(t, { handleUserEvent: (_, response) => response.fail(code, "a secret") });
              const { client, events } = await kit.connect(hub);
              const error = await client.sendEvent("message", "hi", "text", { ackId: 7 }).catch((error) => error);
              assert.deepEqual(
                [error.name, error.ackId, error.errorDetail.name, error.errorDetail.message],
                ["SendMessageError", 7, "InternalServerError", "Internal server error"],
              );
              assert.deepEqual(events.order, ["connected"]);
            });
          }
        });
      }
    }

    test("takes events of simple clients, which are called `message`", async (t) => {
      const { hub } = await start(t, {
        handleUserEvent: ({ data, dataType, context }, response) =>
          response.success(`${context.eventName} ${dataType} ${data}`, "text"),
      });
      const socket = await hub.connectSimple();
      socket.send("hi");
      assert.equal(await socket.next(), "message text hi");
      socket.send(Buffer.from("hi"));
      assert.equal(await socket.next(), "message binary hi");
    });

    test("takes everything where it has nothing to say", async (t) => {
      const { hub, asked } = await start(t, {});
      const socket = await hub.connect({ roles: ["webpubsub.joinLeaveGroup"] });
      assert.equal((await socket.ask({ type: "joinGroup", group: "room", ackId: 1 })).success, true);
      assert.equal((await socket.ask({ type: "event", event: "chat", data: 1, ackId: 2 })).success, true);
      await socket.expectSilence();
      assert.ok(asked.filter((one) => one === "POST /eventhandler").length >= 3);
    });

    test("takes no protobuf, so that such an event fails", async (t) => {
      const { hub } = await start(t, { handleUserEvent: (_, response) => response.success("never", "text") });
      const socket = await connectProtobuf(hub);
      const any = message(field(1, "t"), field(2, "v"));
      socket.send(field(5, message(field(1, "chat"), field(2, field(DATA.protobuf, any)), field(3, 1))));
      assert.deepEqual(await socket.next(), refused(1, "InternalServerError", "Internal server error"));
    });

    test("is found at its own path and those under it only", async (t) => {
      const handler = { handleUserEvent: (_, response) => response.success() };
      const event = { type: "event", event: "chat", data: 1, ackId: 1 };
      for (const [options, path, found] of cases([
        [handler, "/eventhandler", true],
        [handler, "/EventHandler/{hub}/{event}", true],
        [{ ...handler, path: undefined }, "/api/webpubsub/hubs/{hub}", true],
        [handler, "/eventhandlers", false],
        [handler, "/", false],
      ])) {
        const { hub } = await start(t, options, { path, userEventPattern: "*" });
        assert.equal((await (await hub.connect()).ask(event)).success, found, path);
      }
    });

    test("allows services by the host that clients ask, and no others", async (t) => {
      const { port } = new URL(service.endpoint);
      for (const [allowedEndpoints, allowed] of cases([
        [[service.endpoint], true],
        [["https://other.example", service.endpoint.toUpperCase().replace("HTTP", "http")], true],
        [["https://other.example"], false],
        [[`http://${new URL(service.endpoint).hostname}`], false],
        [[`http://other.example:${port}`], false],
      ])) {
        const { hub, asked } = await start(
          t,
          { allowedEndpoints, handleUserEvent: (_, response) => response.success() },
          { userEventPattern: "*" },
        );
        const { success } = await (await hub.connect()).ask({ type: "event", event: "chat", data: 1, ackId: 1 });
        assert.equal(success, allowed, allowedEndpoints.join());
        assert.equal(asked.filter((one) => one.startsWith("POST")).length, Number(allowed));
      }
    });
  },
  { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
);
