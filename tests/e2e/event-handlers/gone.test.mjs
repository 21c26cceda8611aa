// A client that leaves while its handler is asked: nothing waits for the answer any more, and nothing else suffers.
import assert from "node:assert/strict";
import http from "node:http";
import { describe, test } from "node:test";
import { clientKinds } from "../../support/client-kinds.mjs";
import { hang, OWN_SHARD, startWithHub } from "../../support/event-handler.mjs";
import { present } from "../../support/found.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { cases } from "../../support/cases.mjs";

/** How many calls a shard has under way at most. */
const AT_ONCE_PER_SHARD = 6;
const WINDOW_SECONDS = 5;
const ASKED = { userEventPattern: "*", systemEvents: ["disconnected"] };

const event = (name, ackId) => ({ type: "event", event: name, dataType: "text", data: "hi", ackId });
const invoke = (name) => ({ type: "invoke", invocationId: "1", target: "event", event: name, data: 1 });

/** Fails unless what a handler was asked is given up, once. */
async function expectGivenUp(hub, handler, asked, name) {
  await asked.over;
  await handler.next("sys.disconnected");
  assert.equal(handler.count(asked.kind), 1);
  const [last] = (await hub.deliveries()).filter((one) => one.event === name);
  assert.deepEqual([last.attempt, last.status, last.error], [1, null, "GivenUp"]);
}

// One attempt has all the time that an event has: a hundred seconds.
forEachShardCount(
  "Calls",
  (service) => {
    describe("at the same time", { concurrency: 8 }, () => {
      for (const kind of clientKinds) {
        test(`for a ${kind.name} client are given up when it is gone`, async (t) => {
          const { handler, hub } = await startWithHub(t, service, ASKED);
          handler.answer("user.message", hang);
          const socket = await kind.connect(hub);
          kind.send(socket, { ackId: 1 });
          const asked = await handler.next("user.message");
          socket.cut();
          await expectGivenUp(hub, handler, asked, "message");
        });
      }

      for (const [what, end] of cases([
        ["closes", (socket) => socket.close(1000)],
        ["is closed by a server", (socket, hub) => hub.rest("DELETE", `/connections/${socket.id}`)],
      ])) {
        test(`are given up when the client ${what}`, async (t) => {
          const { handler, hub } = await startWithHub(t, service, ASKED);
          handler.answer("user.chat", hang);
          const alice = await hub.connect();
          alice.send(event("chat", 1));
          const asked = await handler.next("user.chat");
          await end(alice, hub);
          await expectGivenUp(hub, handler, asked, "chat");
        });
      }

      test("for an invocation end when its client is gone or cancels", async (t) => {
        const { handler, hub } = await startWithHub(t, service, ASKED);
        handler.answer("user.chat", hang);
        handler.answer("user.slow", hang);
        const [alice, bob] = [await hub.connect(), await hub.connect()];
        alice.send(invoke("chat"));
        bob.send(invoke("slow"));
        const [asked, cancelled] = [await handler.next("user.chat"), await handler.next("user.slow")];
        bob.send({ type: "cancelInvocation", invocationId: "1" });
        await cancelled.over;
        assert.equal((await bob.ask(event("next", 1))).success, true);
        alice.cut();
        await expectGivenUp(hub, handler, asked, "chat");
        assert.equal(handler.count("user.slow"), 1);
      });

      test("for a reliable client go on as long as it may come back", async (t) => {
        const { handler, hub } = await startWithHub(t, service, ASKED);
        const release = handler.hold("user.slow");
        const alice = await hub.connectReliable();
        alice.send(event("slow", 1));
        await handler.next("user.slow");
        alice.cut();
        const again = await hub.recover(alice);
        release();
        assert.deepEqual(await again.json(), { type: "ack", ackId: 1, success: true });
        handler.answer("user.chat", hang);
        again.send(event("chat", 2));
        const asked = await handler.next("user.chat");
        again.cut();
        await expectGivenUp(hub, handler, asked, "chat");
      });

      test("are made for what came before the end, each once, in order", async (t) => {
        const { handler, hub } = await startWithHub(t, service, ASKED);
        handler.answer("user.slow", hang);
        const alice = await hub.connect();
        for (const name of ["slow", "later", "slow", "last"]) alice.send(event(name));
        await handler.next("user.slow");
        await alice.close(1000);
        await handler.next("sys.disconnected");
        assert.deepEqual(handler.kinds(alice.id), [
          "user.slow",
          "user.later",
          "user.slow",
          "user.last",
          "sys.disconnected",
        ]);
      });

      test("that are given up make room, and are no handler's failures", async (t) => {
        const { handler, hub } = await startWithHub(t, service);
        handler.answer("user.slow", hang);
        const leaving = await Promise.all(
          Array.from({ length: 2 * AT_ONCE_PER_SHARD * service.shards }, () => hub.connect()),
        );
        for (const socket of leaving) socket.send(event("slow"));
        for (let n = 0; n < AT_ONCE_PER_SHARD; n++) await handler.next("user.slow");
        const staying = await Promise.all(Array.from({ length: 2 * service.shards }, () => hub.connect()));
        const acks = staying.map((socket) => socket.ask(event("chat", 1)));
        for (const socket of leaving) socket.cut();
        for (const ack of await Promise.all(acks)) assert.equal(ack.success, true);
      });

      test("about connecting are given up when the client hangs up", async (t) => {
        const { handler, hub } = await startWithHub(t, service, { systemEvents: ["connect", "connected"] });
        handler.answer("sys.connect", hang, {});
        const headers = {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        };
        const request = http.get(hub.clientUrl().replace(/^ws/, "http"), { headers });
        request.on("error", () => {});
        const asked = await handler.next("sys.connect");
        // The platform sees no client go that only ends its side of the transport.
        present(request.socket, "its transport").resetAndDestroy();
        await asked.over;
        await hub.connect();
        await handler.next("sys.connected");
        assert.equal(handler.count("sys.connect"), 2, "it is not asked about again");
      });
    });
  },
  {
    steady: OWN_SHARD,
    variables: {
      ALLOW_PRIVATE_EVENT_HANDLERS: "true",
      EVENT_RETRY_SECONDS: ",",
      RECOVERY_WINDOW_SECONDS: WINDOW_SECONDS,
    },
    inMemory: true,
  },
);

forEachShardCount(
  "Attempts",
  (service) => {
    test("are not made again when the connection is gone", async (t) => {
      const { handler, hub } = await startWithHub(t, service, ASKED);
      handler.answer("user.chat", { status: 503 });
      const alice = await hub.connect();
      alice.send(event("chat", 1));
      await (await handler.next("user.chat")).over;
      alice.cut();
      await handler.next("sys.disconnected");
      assert.equal(handler.count("user.chat"), 1);
    });
  },
  { steady: OWN_SHARD, variables: { ALLOW_PRIVATE_EVENT_HANDLERS: "true", EVENT_RETRY_SECONDS: "30" }, inMemory: true },
);
