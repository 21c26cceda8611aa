// What a handler has set, to be sent again with every event of a connection.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AT_ONCE, EventHandler, OWN_SHARD, startWithHub } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const STATE = Buffer.from('{"key":"a"}').toString("base64");
const ALL = { userEventPattern: "*", systemEvents: ["connect", "connected", "disconnected"] };

const state = (value, more) => ({ headers: { "ce-connectionState": value }, ...more });
const cookies = (...values) => ({ headers: { "set-cookie": values } });
const event = (name, ackId) => ({ type: "event", event: name, data: 1, ackId });

forEachShardCount(
  "State",
  (service) => {
    describe("at the same time", { concurrency: 8 }, () => {
      const start = (t, /** @type {object} */ which = ALL) => startWithHub(t, service, which);

      /** What each event of a connection had in a header, in order. */
      const headersOf = (handler, name, { id }) =>
        handler.asked.filter(({ connection }) => connection === id).map((asked) => [asked.kind, asked.header(name)]);

      test("given with `connect` is sent with every later event, as is", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer("sys.connect", state(STATE));
        const socket = await hub.connect();
        for (let ackId = 1; ackId <= 2; ackId++) await socket.ask(event("chat", ackId));
        await socket.close(1000);
        await handler.next("sys.disconnected");
        assert.deepEqual(headersOf(handler, "ce-connectionState", socket), [
          ["sys.connect", undefined],
          ["sys.connected", STATE],
          ["user.chat", STATE],
          ["user.chat", STATE],
          ["sys.disconnected", STATE],
        ]);
      });

      test("is set, changed and cleared by events, and its connection's", async (t) => {
        const { handler, hub } = await start(t, { userEventPattern: "*" });
        const [alice, bob] = [await hub.connect(), await hub.connect()];
        const opaque = 'not base64; "anything", 1=2';
        for (const [n, [answer, expected]] of [
          [state(STATE), undefined],
          [{}, STATE],
          [{ status: 204 }, STATE],
          [state(opaque), STATE],
          [state("failed", { status: 400 }), opaque],
          [
            state("failed", { headers: { "ce-connectionState": "failed", "content-type": "text/html" }, body: "x" }),
            opaque,
          ],
          [state(["first", "last"]), opaque],
          [state(""), "last"],
          [{}, ""],
          [state("again"), ""],
          [state(["again", ""]), "again"],
          [{}, ""],
        ].entries()) {
          handler.answer("user.chat", answer);
          await alice.ask(event("chat", n));
          assert.equal((await handler.next("user.chat")).header("ce-connectionState"), expected, `${n}`);
          handler.answer("user.other", {});
          await bob.ask(event("other", n));
          assert.equal((await handler.next("user.other")).header("ce-connectionState"), undefined);
        }
      });

      test("is that of the last answer, though the next was sent before", async (t) => {
        const { handler, hub } = await start(t, { userEventPattern: "*" });
        const release = handler.hold("user.slow");
        const socket = await hub.connect();
        socket.send(event("slow", 1));
        socket.send(event("next", 2));
        await handler.next("user.slow");
        release(state(STATE));
        assert.equal((await handler.next("user.next")).header("ce-connectionState"), STATE);
      });

      test("that is empty is sent as empty, also through recoveries", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer("sys.connect", state(""));
        const socket = await hub.connectReliable();
        await socket.ask(event("chat", 1));
        socket.cut();
        const again = await hub.recover(socket);
        await again.ask(event("chat", 2));
        await again.close(1000);
        await handler.next("sys.disconnected");
        assert.deepEqual(headersOf(handler, "ce-connectionState", socket), [
          ["sys.connect", undefined],
          ["sys.connected", ""],
          ["user.chat", ""],
          ["user.chat", ""],
          ["sys.disconnected", ""],
        ]);
      });

      test("is kept through a recovery", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer("sys.connect", { headers: { "ce-connectionState": STATE, "set-cookie": "affinity=1" } });
        const socket = await hub.connectReliable();
        socket.cut();
        const again = await hub.recover(socket);
        await again.ask(event("chat", 1));
        const asked = await handler.next("user.chat");
        assert.deepEqual([asked.header("ce-connectionState"), asked.header("cookie")], [STATE, "affinity=1"]);
      });

      test("of cookies: they return with each later event", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer("sys.connect", cookies("affinity=one; Path=/; HttpOnly; SameSite=None"));
        const socket = await hub.connect();
        handler.answer("user.chat", cookies("b=2", 'c="3"'), cookies("affinity=two", "b=; Max-Age=0"), {});
        for (let ackId = 1; ackId <= 3; ackId++) await socket.ask(event("chat", ackId));
        await socket.close(1000);
        await handler.next("sys.disconnected");
        const seen = headersOf(handler, "cookie", socket).map(([kind, header]) => [
          kind,
          header?.split("; ").sort().join("; "),
        ]);
        assert.deepEqual(seen, [
          ["sys.connect", undefined],
          ["sys.connected", "affinity=one"],
          ["user.chat", "affinity=one"],
          ["user.chat", 'affinity=one; b=2; c="3"'],
          ["user.chat", 'affinity=two; c="3"'],
          ["sys.disconnected", 'affinity=two; c="3"'],
        ]);
        handler.answer("sys.connect", {});
        const other = await hub.connect();
        await other.ask(event("chat", 1));
        assert.deepEqual(
          headersOf(handler, "cookie", other).map(([, header]) => header),
          [undefined, undefined, undefined],
        );
      });

      test("of cookies: they return to the URLs that they are for alone", async (t) => {
        const [handler, foreign] = [await EventHandler.start(t), await EventHandler.start(t)];
        const hub = service.newHub();
        await hub.configure({
          eventHandlers: [
            { urlTemplate: `${foreign.url}/{event}`, userEventPattern: "foreign" },
            { urlTemplate: `${handler.origin}/app/{event}`, userEventPattern: "*" },
          ],
        });
        handler.answer(
          "user.set",
          cookies(
            "all=1; Path=/",
            "app=1; Path=/app",
            "chat=1; Path=/app/chat",
            "secure=1; Path=/; Secure",
            "old=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
          ),
        );
        const socket = await hub.connect();
        for (const [n, name] of ["set", "chat", "chats", "news", "foreign"].entries()) await socket.ask(event(name, n));
        const sent = async (where, kind) => (await where.next(kind)).header("cookie")?.split("; ").sort();
        assert.deepEqual(await sent(handler, "user.chat"), ["all=1", "app=1", "chat=1"]);
        assert.deepEqual(await sent(handler, "user.chats"), ["all=1", "app=1"]);
        assert.deepEqual(await sent(handler, "user.news"), ["all=1", "app=1"]);
        // Cookies know hosts, and no ports.
        const elsewhere = await sent(foreign, "user.foreign");
        assert.ok(elsewhere === undefined || elsewhere.join() === "all=1", `${elsewhere}`);
      });

      test("of failed answers is not taken", async (t) => {
        const { handler, hub } = await start(t, { userEventPattern: "*" });
        handler.answer("user.chat", { status: 400, headers: { "set-cookie": "a=1", "ce-connectionState": STATE } }, {});
        const socket = await hub.connect();
        for (let ackId = 1; ackId <= 2; ackId++) await socket.ask(event("chat", ackId));
        await handler.next("user.chat");
        const asked = await handler.next("user.chat");
        assert.deepEqual([asked.all("cookie"), asked.all("ce-connectionState")], [[], []]);
      });

      test("of 12 KiB is sent again, and so is one that is not ASCII", async (t) => {
        const { handler, hub } = await start(t, { userEventPattern: "*" });
        const socket = await hub.connect({ roles: ALL_ROLES });
        let ackId = 0;
        for (const value of ["x".repeat(12_000), "grüße 🚀"]) {
          handler.answer("user.chat", state(Buffer.from(value).toString("latin1")), {});
          for (let n = 0; n < 2; n++) await socket.ask(event("chat", ++ackId));
          await handler.next("user.chat");
          assert.equal((await handler.next("user.chat")).header("ce-connectionState"), value);
        }
      });
    });
  },
  { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
);

forEachShardCount(
  "After a crash, state",
  (service) => {
    test("and cookies survive a recovery, and its numbers go on", async (t) => {
      const handler = await EventHandler.start(t);
      const hub = service.newHub();
      await hub.useHandler(handler, ALL);
      handler.answer("sys.connect", state("from connect"));
      const socket = await hub.connectReliable();
      const other = await hub.connectReliable();
      handler.answer("user.emptied", state(""));
      await other.ask(event("emptied", 1));
      handler.answer("user.chat", { headers: { "ce-connectionState": STATE, "set-cookie": "affinity=1" } }, {});
      await socket.ask(event("chat", 1));
      const before = await handler.next("user.chat");
      await service.crash();
      await service.start();
      const again = await hub.recover(socket);
      await again.ask(event("chat", 2));
      const asked = await handler.next("user.chat");
      assert.deepEqual([asked.header("ce-connectionState"), asked.header("cookie")], [STATE, "affinity=1"]);
      const back = await hub.recover(other);
      await back.ask(event("other", 2));
      assert.equal((await handler.next("user.other")).header("ce-connectionState"), "");
      assert.ok(asked.id > before.id, `${asked.id} after ${before.id}`);
      assert.notEqual(asked.header("x-ms-client-request-id"), before.header("x-ms-client-request-id"));
    });
  },
  { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
);
