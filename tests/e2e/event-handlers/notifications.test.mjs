// What a handler is only notified of: that a client has connected, joined, left or gone.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clientKinds } from "../../support/client-kinds.mjs";
import { ATTEMPTS, AT_ONCE, OWN_SHARD, startWithHub } from "../../support/event-handler.mjs";
import { present } from "../../support/found.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { connectProtobuf } from "../../support/protobuf.mjs";
import { request } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Refused } from "../../support/socket.mjs";
import { cases } from "../../support/cases.mjs";

const WINDOW_SECONDS = 5;
const LONG_REASON = "because ".repeat(25).trim();
const NOTIFICATIONS = ["connected", "disconnected"];
const EVERYTHING = {
  systemEvents: NOTIFICATIONS,
  userEventPattern: "*",
  groupPresenceEvents: { eventNames: ["joined", "left"], groupFilters: ["*"] },
};

const closed = (reason) => `Application server closed the connection.${reason ? ` Reason: ${reason}` : ""}`;

/**
 * How a connection ends, and how it begins where that matters.
 * @typedef {import("../../support/hub.mjs").Hub} Hub
 * @typedef {import("../../support/socket.mjs").Socket} Socket
 * @typedef {[what: string, reason: string, end: (socket: Socket, hub: Hub) => unknown, open?: (hub: Hub) => Promise<Socket>]} End
 */

forEachShardCount(
  "Notifications",
  (service) => {
    describe("at the same time", { concurrency: 8 }, () => {
      const start = (t, /** @type {object} */ which = EVERYTHING) => startWithHub(t, service, which);

      for (const kind of clientKinds) {
        test(`a ${kind.name} client is reported as connected, and as gone`, async (t) => {
          const { handler, hub } = await start(t, { systemEvents: NOTIFICATIONS });
          const socket = await kind.connect(hub, { user: "alice" });
          const connected = await handler.next("sys.connected");
          assert.equal(connected.text, "{}");
          await socket.close(1000, "so long");
          const gone = await handler.next("sys.disconnected");
          assert.deepEqual(gone.json, { reason: "so long" });
          for (const { asked, name } of [
            { asked: connected, name: "connected" },
            { asked: gone, name: "disconnected" },
          ]) {
            assert.equal(asked.method, "POST");
            assert.equal(asked.header("content-type"), "application/json; charset=utf-8");
            assert.equal(asked.header("ce-eventName"), name);
            assert.equal(asked.header("ce-userId"), "alice");
            assert.equal(asked.header("ce-subprotocol"), kind.subprotocol);
          }
          assert.equal(connected.connection, gone.connection);
          assert.equal(connected.id, 1);
          assert.ok(gone.id > 1);
        });
      }

      test("its connection, user and groups can be addressed by then", async (t) => {
        const { handler, hub } = await start(t, { systemEvents: ["connected"] });
        handler.answer("sys.connected", async ({ connection }) => {
          const found = await Promise.all(
            [`/connections/${connection}`, "/users/alice", "/groups/room"].map((path) => hub.exists(path)),
          );
          await hub.send(`/connections/${connection}`, `welcome ${found}`);
          return {};
        });
        const socket = await hub.connectSimple({ user: "alice", groups: ["room"] });
        assert.equal(await socket.next(), "welcome true,true,true");
      });

      test("only what a handler lists is sent", async (t) => {
        for (const systemEvents of [["connected"], ["disconnected"], [], undefined]) {
          const { handler, hub } = await start(t, { systemEvents, userEventPattern: "*" });
          const socket = await hub.connect();
          assert.equal((await socket.ask({ type: "event", event: "connected", data: 1, ackId: 1 })).success, true);
          await socket.close(1000);
          // What is sent of this one comes after what could be sent of the other.
          const last = await hub.connect();
          await last.ask({ type: "event", event: "last", data: 1, ackId: 1 });
          await last.close(1000);
          if (systemEvents?.includes("disconnected"))
            for (let n = 0; n < 2; n++) await handler.next("sys.disconnected");
          const system = (systemEvents ?? []).map((name) => `sys.${name}`);
          const expected = (name) => [
            ...system.filter((its) => its === "sys.connected"),
            `user.${name}`,
            ...system.filter((its) => its === "sys.disconnected"),
          ];
          assert.deepEqual(handler.kinds(socket.id), expected("connected"));
          assert.deepEqual(handler.kinds(last.id), expected("last"));
        }
      });

      for (const [what, reason, end, open = (hub) => hub.connect({ user: "alice" })] of /** @type {End[]} */ ([
        ["the client's words", "it's late, ü", (socket) => socket.close(1000, "it's late, ü")],
        ["no words", "", (socket) => socket.close(1000)],
        ["no words, without a code", "", (socket) => socket.close()],
        ["no words, the transport being cut", "", (socket) => socket.cut()],
        ["a server's wish", closed(), (socket, hub) => hub.rest("DELETE", `/connections/${socket.id}`)],
        [
          "a server's wish, and its reason",
          closed("spam, ü"),
          (socket, hub) => hub.rest("DELETE", `/connections/${socket.id}`, { query: { reason: "spam, ü" } }),
        ],
        [
          "a server's reason of 200 characters",
          closed(LONG_REASON),
          (_, hub) => hub.rest("POST", "/:closeConnections", { query: { reason: LONG_REASON } }),
        ],
        [
          "a server's wish about its user",
          closed("all of you"),
          (_, hub) => hub.rest("POST", "/users/alice/:closeConnections", { query: { reason: "all of you" } }),
        ],
        [
          "what is no message",
          "The client message is not a valid JSON protocol message.",
          (socket) => socket.send("hello"),
        ],
        ["a binary frame", "The JSON subprotocol requires text messages.", (socket) => socket.send(Buffer.from([1]))],
        [
          "a text frame",
          "The protobuf subprotocol requires binary messages.",
          (socket) => socket.send("hello"),
          connectProtobuf,
        ],
        [
          "a message that is too large",
          "The client message is too large.",
          (socket) => socket.send("x".repeat(1_048_577)),
        ],
        ["a reliable client's own end", "done", (socket) => socket.close(1000, "done"), (hub) => hub.connectReliable()],
        [
          "a reliable client that does not come back",
          "The connection recovery timeout expired.",
          (socket) => socket.cut(),
          (hub) => hub.connectReliable(),
        ],
        [
          "a server's wish about a reliable client that is away",
          closed(),
          async (socket, hub) => {
            socket.cut();
            await hub.rest("DELETE", `/connections/${socket.id}`);
          },
          (hub) => hub.connectReliable(),
        ],
      ])) {
        test(`the end is reported once, with the reason: ${what}`, async (t) => {
          const { handler, hub } = await start(t, { systemEvents: NOTIFICATIONS });
          const socket = await open(hub);
          socket.id ||= (await handler.next("sys.connected")).connection;
          await end(socket, hub);
          assert.deepEqual((await handler.next("sys.disconnected")).json, { reason });
          assert.equal(await hub.exists(`/connections/${socket.id}`), false);
          // One that comes and goes after it would be reported after a second time.
          await (await hub.connect()).close(1000);
          await handler.next("sys.disconnected");
          assert.deepEqual(handler.kinds(socket.id), ["sys.connected", "sys.disconnected"]);
        });
      }

      test("a recovered connection is reported neither new nor gone", async (t) => {
        const { handler, hub } = await start(t);
        const socket = await hub.connectReliable({ user: "alice" });
        socket.cut();
        const again = await hub.recover(socket);
        assert.equal((await again.ask({ type: "event", event: "back", data: 1, ackId: 1 })).success, true);
        await again.close(1000, "bye");
        const gone = await handler.next("sys.disconnected");
        assert.deepEqual(handler.kinds(socket.id), ["sys.connected", "user.back", "sys.disconnected"]);
        const ids = handler.asked.filter(({ connection }) => connection === socket.id).map(({ id }) => id);
        assert.ok(ids[0] === 1 && ids[1] > 1 && ids[2] > ids[1], `${ids}`);
        assert.deepEqual(gone.json, { reason: "bye" });
      });

      test("a client that was never let in is never reported as gone", async (t) => {
        const { handler, hub } = await start(t, { systemEvents: ["connect", ...NOTIFICATIONS] });
        handler.answer("sys.connect", { status: 403 }, {});
        await assert.rejects(hub.connect(), Refused);
        const socket = await hub.connect();
        await socket.close(1000);
        await handler.next("sys.disconnected");
        const refused = present(
          handler.asked.find(({ kind }) => kind === "sys.connect"),
          "the refused one",
        );
        assert.deepEqual(handler.kinds(refused.connection), ["sys.connect"]);
        assert.deepEqual(handler.kinds(socket.id), ["sys.connect", "sys.connected", "sys.disconnected"]);
      });

      test("joins and leaves of groups asked for are sent, by any way", async (t) => {
        const { handler, hub } = await start(t, {
          groupPresenceEvents: { eventNames: ["joined", "left"], groupFilters: ["*"] },
        });
        const socket = await hub.connect({ user: "alice", roles: ALL_ROLES });
        const inGroup = `/groups/r%C3%BCm/connections/${socket.id}`;
        for (const [change, kind] of cases([
          [() => socket.ask({ type: "joinGroup", group: "rüm", ackId: 1 }), "gp.joined"],
          [() => socket.ask({ type: "leaveGroup", group: "rüm", ackId: 2 }), "gp.left"],
          [() => hub.rest("PUT", inGroup), "gp.joined"],
          [() => hub.rest("DELETE", inGroup), "gp.left"],
        ])) {
          await change();
          const asked = await handler.next(kind);
          assert.deepEqual(asked.json, { group: "rüm" });
          assert.equal(asked.header("content-type"), "application/json; charset=utf-8");
          assert.equal(asked.header("ce-eventName"), kind.replace("gp.", ""));
          assert.equal(asked.header("ce-type"), `azure.webpubsub.${kind}`);
          assert.equal(asked.connection, socket.id);
          assert.equal(asked.header("ce-userId"), "alice");
        }
      });

      test("what changes no membership or is filtered out is not sent", async (t) => {
        const { handler, hub } = await start(t, {
          userEventPattern: "*",
          groupPresenceEvents: { eventNames: ["joined"], groupFilters: ["room", "hall"] },
        });
        const socket = await hub.connect({ roles: ALL_ROLES });
        let ackId = 0;
        for (const group of ["room", "room", "hall", "Room", "hall.1", "other"])
          await socket.ask({ type: "joinGroup", group, ackId: ackId++ });
        for (const group of ["room", "never"]) await socket.ask({ type: "leaveGroup", group, ackId: ackId++ });
        await socket.ask({ type: "event", event: "last", data: 1, ackId });
        const delivered = handler.asked
          .filter(({ kind }) => kind.startsWith("gp."))
          .map(({ kind, json }) => [kind, json.group]);
        assert.deepEqual(delivered, [
          ["gp.joined", "room"],
          ["gp.joined", "hall"],
        ]);
      });

      test("they come in order, connected first and disconnected last", async (t) => {
        const { handler, hub } = await start(t);
        const socket = await hub.connect({ roles: ALL_ROLES });
        for (const kind of ["sys.connected", "user.chat", "gp.joined", "gp.left"])
          handler.answer(kind, () => new Promise((resolve) => setTimeout(resolve, 20, {})));
        for (let n = 0; n < 3; n++) {
          socket.send({ type: "event", event: "chat", dataType: "text", data: `${n}` });
          socket.send({ type: "joinGroup", group: `${n}` });
          socket.send({ type: "leaveGroup", group: `${n}` });
        }
        await socket.expectSilence();
        await socket.close(1000);
        await handler.next("sys.disconnected");
        const kinds = handler.kinds(socket.id);
        assert.equal(kinds[0], "sys.connected");
        assert.equal(kinds.at(-1), "sys.disconnected");
        assert.equal(kinds.length, 11);
        const of = (prefix) => handler.asked.filter(({ kind }) => kind.startsWith(prefix));
        assert.deepEqual(
          of("user.").map(({ text }) => text),
          ["0", "1", "2"],
        );
        assert.deepEqual(
          of("gp.").map(({ kind, json }) => [kind, json.group]),
          ["0", "1", "2"].flatMap((n) => [
            ["gp.joined", n],
            ["gp.left", n],
          ]),
        );
      });

      test("what a handler says to them is of no consequence", async (t) => {
        const { handler, hub } = await start(t, { systemEvents: NOTIFICATIONS, userEventPattern: "*" });
        handler.answer("sys.connected", {
          status: 400,
          headers: { "ce-connectionState": "bad", "content-type": "text/plain" },
          body: "no",
        });
        const refused = await hub.connect();
        assert.equal((await refused.ask({ type: "event", event: "chat", data: 1, ackId: 1 })).success, true);
        handler.answer("sys.connected", {
          headers: { "ce-connectionState": "ignored", "content-type": "text/plain" },
          body: "hello",
        });
        const taken = await hub.connect();
        assert.equal((await taken.ask({ type: "event", event: "chat", data: 1, ackId: 1 })).success, true);
        for (let n = 0; n < 2; n++) assert.deepEqual((await handler.next("user.chat")).all("ce-connectionState"), []);
        await taken.expectSilence();
        assert.equal(handler.count("sys.connected"), 2, "a refusal is final");
      });

      test("what a handler did not take is sent again, number unchanged", async (t) => {
        const { handler, hub } = await start(t, { systemEvents: NOTIFICATIONS });
        for (const kind of ["sys.connected", "sys.disconnected"])
          handler.answer(kind, ...Array(ATTEMPTS - 1).fill({ status: 503 }), {});
        const socket = await hub.connect();
        await socket.close(1000, "bye");
        for (const kind of ["sys.connected", "sys.disconnected"]) {
          const asked = [];
          for (let n = 0; n < ATTEMPTS; n++) asked.push(await handler.next(kind));
          for (const name of ["ce-id", "x-ms-client-request-id", "ce-time"]) {
            assert.equal(new Set(asked.map((one) => one.header(name))).size, 1, name);
          }
          assert.equal(new Set(asked.map(({ text }) => text)).size, 1);
        }
        const { status } = await request(service.endpoint, "HEAD", "/api/health?api-version=2024-12-01");
        assert.equal(status, 200);
      });
    });
  },
  { steady: OWN_SHARD, variables: { ...AT_ONCE, RECOVERY_WINDOW_SECONDS: WINDOW_SECONDS }, inMemory: true },
);
