// Users' events: what a handler is sent, which handler it is, and what waits for it.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { clientKinds, PAYLOADS } from "../../support/client-kinds.mjs";
import { AT_ONCE, EventHandler, OWN_SHARD, startWithHub } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { PROTOBUF_V1, RELIABLE_V1, Socket } from "../../support/socket.mjs";
import { cases } from "../../support/cases.mjs";

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const [JSON_CLIENT, PROTOBUF_CLIENT, SIMPLE_CLIENT] = clientKinds;

const event = (name, ackId, more) => ({ type: "event", event: name, dataType: "text", data: "hi", ackId, ...more });
const text = (body, more) => ({ headers: { "content-type": "text/plain", ...more }, body });

/** The spec's signature of a connection id. */
const signature = (id, keys) =>
  keys.map((key) => `sha256=${createHmac("sha256", key).update(id).digest("hex")}`).join();

forEachShardCount(
  "Events",
  (service) => {
    describe("at the same time", { concurrency: 8 }, () => {
      const start = (t, which) => startWithHub(t, service, which);

      test("an event has the headers of a CloudEvent and of the service", async (t) => {
        const { handler, hub } = await start(t);
        const shouting = Object.assign(Object.create(hub), { name: hub.name.toUpperCase() });
        const alice = await shouting.connect({ user: "alice" });
        const before = Date.now();
        await alice.ask(event("Chat.New_1-a", 1));
        const asked = await handler.next("user.Chat.New_1-a");
        assert.equal(asked.method, "POST");
        for (const [name, value] of [
          ["WebHook-Request-Origin", new URL(service.endpoint).host],
          ["ce-specversion", "1.0"],
          ["ce-awpsversion", "1.0"],
          ["ce-type", "azure.webpubsub.user.Chat.New_1-a"],
          ["ce-source", `/hubs/${hub.name}/client/${alice.id}`],
          ["ce-signature", signature(alice.id, [service.key, service.secondaryKey])],
          ["ce-userId", "alice"],
          ["ce-connectionId", alice.id],
          ["ce-hub", hub.name],
          ["ce-eventName", "Chat.New_1-a"],
          ["ce-subprotocol", "json.webpubsub.azure.v1"],
          ["content-length", "2"],
        ]) {
          assert.equal(asked.header(name), value, name);
        }
        assert.match(asked.header("ce-id"), /^[1-9]\d*$/);
        assert.match(asked.header("ce-time"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.ok(Math.abs(Date.parse(asked.header("ce-time")) - before) < 10_000);
        assert.match(asked.header("x-ms-client-request-id"), GUID);
        for (const name of ["ce-connectionState", "cookie", "authorization", "ce-physicalConnectionId", "ce-sessionId"])
          assert.deepEqual(asked.all(name), [], name);
      });

      test("what is not there has no header: a user, a subprotocol", async (t) => {
        const { handler, hub } = await start(t);
        const socket = await hub.connectSimple();
        socket.send("hi");
        const asked = await handler.next("user.message");
        for (const name of ["ce-userId", "ce-subprotocol"]) assert.deepEqual(asked.all(name), [], name);
        assert.equal(asked.header("ce-eventName"), "message");
      });

      test("a user id has any characters, in UTF-8, and adds no header", async (t) => {
        const { handler, hub } = await start(t);
        for (const [user, delivered] of [
          ["jörg 🚀", "jörg 🚀"],
          ["a\tb", "a\tb"],
          ['a, "b"; c=d', 'a, "b"; c=d'],
          ["a\r\nx-evil: 1", "a\ufffd\ufffdx-evil: 1"],
          ["a\nb\u0000\u007f", "a\ufffdb\ufffd\ufffd"],
        ]) {
          const socket = await hub.connect({ user });
          assert.equal((await socket.ask(event("chat", 1))).success, true, user);
          const asked = await handler.next("user.chat");
          assert.equal(asked.header("ce-userId"), delivered);
          assert.deepEqual(asked.all("x-evil"), []);
        }
      });

      test("the subprotocol has the service's name", async (t) => {
        const { handler, hub } = await start(t);
        for (const protocol of [RELIABLE_V1, "JSON.webpubsub.azure.v1"]) {
          const socket = await Socket.open(hub.clientUrl(), { protocols: protocol });
          await socket.json();
          await socket.ask(event("chat", 1));
          assert.equal(
            (await handler.next("user.chat")).header("ce-subprotocol").toLowerCase(),
            protocol.toLowerCase(),
          );
        }
        const socket = await PROTOBUF_CLIENT.connect(hub);
        PROTOBUF_CLIENT.send(socket, { event: "chat" });
        assert.equal((await handler.next("user.chat")).header("ce-subprotocol"), PROTOBUF_V1);
      });

      test("events are numbered from connect's 0 on, and each has an id", async (t) => {
        const { handler, hub } = await start(t, {
          userEventPattern: "*",
          systemEvents: ["connect", "connected", "disconnected"],
        });
        const [alice, bob] = [await hub.connectReliable(), await hub.connect()];
        for (let ackId = 1; ackId <= 3; ackId++)
          for (const socket of [alice, bob]) await socket.ask(event("chat", ackId));
        alice.cut();
        const again = await hub.recover(alice);
        await again.ask(event("chat", 4));
        await Promise.all([again.close(1000), bob.close(1000)]);
        for (let n = 0; n < 2; n++) await handler.next("sys.disconnected");
        for (const { socket, count } of [
          { socket: alice, count: 4 },
          { socket: bob, count: 3 },
        ]) {
          const asked = handler.asked.filter(({ connection }) => connection === socket.id);
          assert.deepEqual(
            asked.map(({ id }) => id).sort((a, b) => a - b),
            Array.from({ length: count + 3 }, (_, n) => n),
          );
          const idOf = (event) => asked.find(({ kind }) => kind === event)?.id;
          assert.deepEqual(["sys.connect", "sys.connected", "sys.disconnected"].map(idOf), [0, 1, count + 2]);
          assert.equal(new Set(asked.map((one) => one.header("x-ms-client-request-id"))).size, asked.length);
        }
      });

      test("0 and 1 are kept for connecting that no handler asked for", async (t) => {
        const { handler, hub } = await start(t);
        await (await hub.connect()).ask(event("chat", 1));
        assert.ok((await handler.next("user.chat")).id >= 2);
      });

      test("a handler's own credentials go with every request", async (t) => {
        const handler = await EventHandler.start(t);
        for (const [auth, name, value] of [
          [{ type: "None" }, "authorization", undefined],
          [{ type: "Bearer", token: "s3cret" }, "authorization", "Bearer s3cret"],
          [{ type: "bearer", token: { secret: "HANDLER_SECRET_TOKEN" } }, "authorization", "Bearer from a variable"],
          [{ type: "Header", name: "x-functions-key", value: "k=1; 2" }, "x-functions-key", "k=1; 2"],
          [{ type: "Header", name: "X-Key", value: { secret: "HANDLER_SECRET_TOKEN" } }, "x-key", "from a variable"],
        ]) {
          const hub = service.newHub();
          await hub.useHandler(handler, { userEventPattern: "*", systemEvents: ["connect", "connected"], auth });
          const socket = await hub.connect();
          await socket.ask(event("chat", 1));
          for (const kind of ["sys.connect", "sys.connected", "user.chat"])
            assert.equal((await handler.next(kind)).header(String(name)), value, kind);
        }
      });

      test("the URL fills in hub and event, escaped, and keeps its query", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.useHandler(handler, {
          urlTemplate: `${handler.origin}/a/{HUB}/{Event}/x?code=s%3Dcret&e={event}`,
          userEventPattern: "*",
          systemEvents: ["connected"],
        });
        const socket = await hub.connect();
        await socket.ask(event("Chat", 1));
        assert.equal((await handler.next("user.Chat")).url, `/a/${hub.name}/Chat/x?code=s%3Dcret&e=Chat`);
        assert.equal((await handler.next("sys.connected")).url, `/a/${hub.name}/connected/x?code=s%3Dcret&e=connected`);
      });

      for (const kind of clientKinds) {
        for (const { dataType, data, contentType } of PAYLOADS.filter(({ dataType }) =>
          kind.sends.includes(dataType),
        )) {
          test(`a handler gets what a ${kind.name} client sends: ${dataType}`, async (t) => {
            const { handler, hub } = await start(t);
            const socket = await kind.connect(hub);
            kind.send(socket, { dataType, data });
            const asked = await handler.next("user.message");
            assert.equal(asked.header("content-type").split(";")[0], contentType);
            if (dataType === "text") assert.match(asked.header("content-type"), /^text\/plain; ?charset=utf-8$/i);
            assert.deepEqual(asked.body, Buffer.from(data));
          });
        }

        test(`a handler gets a ${kind.name} client's empty and large events`, async (t) => {
          const { handler, hub } = await start(t);
          const socket = await kind.connect(hub);
          for (const [dataType, data] of cases([
            ["text", ""],
            ["binary", Buffer.alloc(0)],
            ["text", "x".repeat(1_000_000)],
          ])) {
            kind.send(socket, { dataType, data });
            assert.deepEqual((await handler.next("user.message")).body, Buffer.from(data));
          }
        });

        test(`an event that no handler asks for fails, of a ${kind.name} client`, async (t) => {
          const { handler, hub } = await start(t, {
            userEventPattern: "other",
            systemEvents: ["connect", "connected", "disconnected"],
          });
          const socket = await kind.connect(hub);
          kind.send(socket, { ackId: 1 });
          await kind.fails(socket, 1);
          assert.equal(handler.count("user.message"), 0);
        });
      }

      test("metadata becomes lower-case headers, the last of a key wins", async (t) => {
        const { handler, hub } = await start(t);
        const metadata = { Trace: "first", "trace-ID": "x;y", trace: "last", "!#$%": "" };
        const [json, protobuf] = [await hub.connect(), await PROTOBUF_CLIENT.connect(hub)];
        JSON_CLIENT.send(json, { metadata });
        PROTOBUF_CLIENT.send(protobuf, { metadata });
        for (let n = 0; n < 2; n++) {
          const asked = await handler.next("user.message");
          for (const [key, value] of [
            ["trace", "last"],
            ["trace-id", "x;y"],
            ["!#$%", ""],
          ])
            assert.equal(asked.header(`x-webpubsub-metadata-${key}`), value, key);
        }
      });

      test("metadata without data is an empty text", async (t) => {
        const { handler, hub } = await start(t);
        (await hub.connect()).send({ type: "event", event: "chat", metadata: { a: "b" } });
        const asked = await handler.next("user.chat");
        assert.deepEqual(
          [asked.text, asked.header("content-type").split(";")[0], asked.header("x-webpubsub-metadata-a")],
          ["", "text/plain", "b"],
        );
      });

      for (const [pattern, matched, unmatched] of /** @type {[string | undefined, string[], string[]][]} */ ([
        ["*", ["chat", "connected", "a.b-c_d"], []],
        ["chat", ["chat", "CHAT"], ["chats", "cha"]],
        ["Chat , news,other", ["chat", "NEWS", "other"], ["old"]],
        ["connected,disconnected", ["connected"], ["chat"]],
        [undefined, [], ["chat", "connect"]],
        ["", [], ["chat", "connected"]],
      ])) {
        test(`a pattern asks for users' events by name: ${pattern}`, async (t) => {
          const { handler, hub } = await start(t, { userEventPattern: pattern });
          const socket = await hub.connect();
          let ackId = 0;
          for (const name of [...matched, ...unmatched]) {
            assert.equal((await socket.ask(event(name, ++ackId))).success, matched.includes(name), name);
          }
          assert.deepEqual(
            handler.kinds(),
            matched.map((name) => `user.${name}`),
          );
        });
      }

      test("a pattern matches users' events only, by no system name", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.configure({
          eventHandlers: [
            { urlTemplate: `${handler.origin}/system`, systemEvents: ["connected"] },
            { urlTemplate: `${handler.origin}/user`, userEventPattern: "*" },
          ],
        });
        const socket = await hub.connect();
        await socket.ask(event("connected", 1));
        const [system, user] = [await handler.next("sys.connected"), await handler.next("user.connected")];
        assert.deepEqual([system.url, user.url], ["/system", "/user"]);
        await socket.close(1000);
      });

      test("of several handlers the first that wants an event is called", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        const at = (path, which) => ({ urlTemplate: `${handler.origin}/${path}`, ...which });
        await hub.configure({
          eventHandlers: [
            at("first", { userEventPattern: "chat", systemEvents: ["connected"] }),
            at("second", { userEventPattern: "chat,news", systemEvents: ["connect", "connected"] }),
            at("third", { userEventPattern: "*" }),
          ],
        });
        const socket = await hub.connect();
        let ackId = 0;
        for (const name of ["chat", "news", "other"]) await socket.ask(event(name, ++ackId));
        const delivered = handler.asked.filter(({ connection }) => connection).map(({ kind, url }) => [kind, url]);
        assert.deepEqual(delivered, [
          ["sys.connect", "/second"],
          ["sys.connected", "/first"],
          ["user.chat", "/first"],
          ["user.news", "/second"],
          ["user.other", "/third"],
        ]);
      });

      test("a connection's events wait for each other, and nothing else", async (t) => {
        const { handler, hub } = await start(t);
        const release = handler.hold("user.slow");
        handler.answer("user.next", text("second"));
        const [alice, bob] = [
          await hub.connect({ roles: ALL_ROLES, groups: ["room"] }),
          await hub.connect({ groups: ["room"] }),
        ];
        alice.send(event("slow", 1));
        alice.send(event("next", 2));
        await handler.next("user.slow");
        assert.equal((await bob.ask(event("quick", 1))).success, true);
        assert.equal(
          (await alice.ask({ type: "sendToGroup", group: "room", data: 1, ackId: 3, noEcho: true })).success,
          true,
        );
        assert.equal((await bob.json()).data, 1);
        for (const ping of ['{"type":"ping"}', '{"type":"ping" }']) {
          alice.send(ping);
          assert.deepEqual(await alice.json(), { type: "pong" });
        }
        assert.deepEqual(handler.kinds(alice.id), ["user.slow"], "the next one waits");
        release(text("first"));
        assert.deepEqual([(await alice.json()).data, (await alice.json()).ackId], ["first", 1]);
        assert.deepEqual([(await alice.json()).data, (await alice.json()).ackId], ["second", 2]);
      });

      test("a simple client's next frame waits for the one before it", async (t) => {
        const { handler, hub } = await start(t);
        const release = handler.hold("user.message");
        const socket = await SIMPLE_CLIENT.connect(hub);
        for (const data of ["one", Buffer.from("two"), "three"]) socket.send(data);
        assert.equal((await handler.next("user.message")).text, "one");
        assert.equal(handler.underWay, 1);
        release();
        assert.equal((await handler.next("user.message")).text, "two");
        assert.equal((await handler.next("user.message")).text, "three");
      });

      test("an event takes its ack id while under way and if it succeeds", async (t) => {
        const { handler, hub } = await start(t);
        const release = handler.hold("user.chat");
        const alice = await hub.connect();
        for (let n = 0; n < 2; n++) alice.send(event("chat", 1));
        await handler.next("user.chat");
        release();
        assert.equal((await alice.json()).success, true);
        assert.equal((await alice.json()).error.name, "Duplicate");
        assert.equal((await alice.ask({ type: "joinGroup", group: "room", ackId: 1 })).error.name, "Duplicate");
        assert.equal(handler.count("user.chat"), 1);
      });

      test("events sent before the end of their connection are delivered", async (t) => {
        const { handler, hub } = await start(t, { userEventPattern: "*", systemEvents: ["disconnected"] });
        const release = handler.hold("user.slow");
        const alice = await hub.connect();
        for (const name of ["slow", "later"]) alice.send(event(name));
        await handler.next("user.slow");
        await alice.close(1000);
        assert.equal(await hub.exists(`/connections/${alice.id}`), false);
        release(text("too late"));
        await handler.next("sys.disconnected");
        assert.deepEqual(handler.kinds(alice.id), ["user.slow", "user.later", "sys.disconnected"]);
      });

      test("a publish to a group never goes to a handler", async (t) => {
        const { handler, hub } = await start(t, { userEventPattern: "*" });
        const alice = await hub.connect({ roles: ALL_ROLES });
        await alice.ask({ type: "sendToGroup", group: "room", data: 1, ackId: 1 });
        const simple = await hub.connectSimple({ roles: ALL_ROLES, query: "&webpubsub_mode=sendToGroup&group=room" });
        simple.send("hi");
        await hub.send("/groups/room", "hi");
        await alice.ask(event("last", 2));
        assert.deepEqual(handler.kinds(), ["user.last"]);
      });
    });
  },
  { steady: OWN_SHARD, variables: { ...AT_ONCE, HANDLER_SECRET_TOKEN: "from a variable" }, inMemory: true },
);
