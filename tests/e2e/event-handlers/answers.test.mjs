// What a handler's answer to a user's event does: what reaches the client, and what fails the event.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ANY, clientKinds } from "../../support/client-kinds.mjs";
import { AT_ONCE, OWN_SHARD, startWithHub } from "../../support/event-handler.mjs";
import { field } from "../../support/protobuf.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { until } from "../../support/waiting.mjs";
import { cases } from "../../support/cases.mjs";

const [JSON_CLIENT, PROTOBUF_CLIENT, SIMPLE_CLIENT] = clientKinds;

const event = (name, ackId) => ({ type: "event", event: name, dataType: "text", data: "hi", ackId });
const text = (body, more) => ({ headers: { "content-type": "text/plain", ...more }, body });

forEachShardCount(
  "Answers to events",
  (service) => {
    describe("at the same time", { concurrency: 8 }, () => {
      const start = (t, which) => startWithHub(t, service, which);

      for (const kind of clientKinds) {
        for (const [what, answer, expected] of cases([
          ["text", { ...text("grüße") }, { dataType: "text", data: "grüße" }],
          [
            "text with a charset",
            text("hi", { "content-type": "Text/Plain; Charset=UTF-8" }),
            { dataType: "text", data: "hi" },
          ],
          [
            "text of another charset",
            text(Buffer.from([0xe4, 0x80]), { "content-type": "text/plain; charset=windows-1252" }),
            { dataType: "text", data: "ä€" },
          ],
          [
            "JSON, letter for letter",
            { headers: { "content-type": "application/json; charset=utf-8" }, body: '{ "a": [1.0, "ü"]}' },
            { dataType: "json", data: '{ "a": [1.0, "ü"]}' },
          ],
          [
            "bytes",
            { headers: { "content-type": "application/octet-stream" }, body: Buffer.from([0, 255]) },
            { dataType: "binary", data: Buffer.from([0, 255]) },
          ],
          ["bytes without a content type", { body: "hi" }, { dataType: "binary", data: Buffer.from("hi") }],
          [
            "an Any",
            { headers: { "content-type": "application/x-protobuf" }, body: ANY },
            { dataType: "protobuf", data: ANY },
          ],
          ["text with another success", { ...text("made"), status: 201 }, { dataType: "text", data: "made" }],
        ])) {
          test(`an answer reaches the ${kind.name} client before its ack: ${what}`, async (t) => {
            const { handler, hub } = await start(t);
            handler.answer("user.message", answer);
            const [socket, other] = [await kind.connect(hub, { user: "alice" }), await hub.connect({ user: "alice" })];
            kind.send(socket, { ackId: 1 });
            await kind.receives(socket, expected);
            await kind.succeeds(socket, 1);
            await other.expectSilence();
          });
        }

        for (const [what, answer] of cases([
          ["204", { status: 204 }],
          ["200 and an empty body", {}],
          ["an empty body of a known type", { headers: { "content-type": "application/octet-stream" } }],
          ["an empty body of an unknown type", { headers: { "content-type": "text/html" } }],
        ])) {
          test(`an answer without a body says nothing to the ${kind.name} client: ${what}`, async (t) => {
            const { handler, hub } = await start(t);
            handler.answer("user.message", answer, text("next"));
            const socket = await kind.connect(hub);
            kind.send(socket, { ackId: 1 });
            await kind.succeeds(socket, 1);
            kind.send(socket, { ackId: 2 });
            await kind.receives(socket, { dataType: "text", data: "next" });
          });
        }

        test(`an answer's metadata goes with the ${kind.name} client's message`, async (t) => {
          const { handler, hub } = await start(t);
          // The platform makes one header of several, of which the last value counts.
          const headers = {
            "X-WebPubSub-Metadata-Trace-Id": "abc",
            "x-webpubsub-metadata-b": ["1", "2"],
            "x-webpubsub-metadata-c": "1,2",
          };
          handler.answer("user.message", text("hi", headers), { status: 204, headers });
          const socket = await kind.connect(hub);
          for (const [ackId, data] of cases([
            [1, "hi"],
            [2, ""],
          ])) {
            kind.send(socket, { ackId });
            if (kind === SIMPLE_CLIENT) await kind.receives(socket, { dataType: "text", data });
            else await receivesMetadata(kind, socket, data, { "trace-id": "abc", b: "2", c: "2" });
            await kind.succeeds(socket, ackId);
          }
        });

        for (const [what, answer] of cases([
          ["an unknown content type", { headers: { "content-type": "text/html" }, body: "<p>" }],
          ["a content type that is none", { headers: { "content-type": "hello" }, body: "x" }],
          ["JSON that is none", { headers: { "content-type": "application/json" }, body: "{" }],
          [
            "an Any that is none",
            { headers: { "content-type": "application/x-protobuf" }, body: Buffer.from([7, 255]) },
          ],
          ["400", { ...text("bad"), status: 400 }],
          ["401", { status: 401 }],
          ["404", { status: 404 }],
          ["429", { status: 429 }],
          ["a redirect", { status: 307, headers: { location: "/elsewhere" } }],
          ["17 MiB", text(Buffer.alloc(17 * 1024 * 1024, "x"))],
        ])) {
          test(`an answer fails the event of the ${kind.name} client, at once: ${what}`, async (t) => {
            const { handler, hub } = await start(t);
            handler.answer("user.message", answer);
            const socket = await kind.connect(hub);
            kind.send(socket, { ackId: 1 });
            await kind.fails(socket, 1);
            assert.equal(handler.count("user.message"), 1);
            assert.ok(handler.asked.every(({ url }) => !url.includes("elsewhere")));
            if (!kind.expectSilence) return;
            // The connection stays, the ack id is free, and without one the client receives nothing.
            kind.send(socket, {});
            await kind.expectSilence(socket);
            handler.answer("user.message", {});
            kind.send(socket, { ackId: 1 });
            await kind.succeeds(socket, 1);
          });
        }
      }

      test("an answer of 15 MiB reaches a client that may have it", async (t) => {
        const { handler, hub } = await start(t);
        const body = Buffer.alloc(15 * 1024 * 1024, "x");
        handler.answer("user.message", text(body));
        const socket = await hub.connectSimple();
        socket.send("hi");
        assert.equal(await socket.next(), body.toString());
      });

      test("a metadata header without a key is left out of an answer", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer("user.message", {
          headers: {
            "content-type": "text/plain",
            "X-WebPubSub-Metadata-": Buffer.from("ü").toString("latin1"),
            "X-WebPubSub-Metadata-A": "b",
          },
          body: "hey",
        });
        for (const kind of [JSON_CLIENT, PROTOBUF_CLIENT]) {
          const socket = await kind.connect(hub);
          kind.send(socket, { ackId: 1 });
          await kind.receives(socket, { dataType: "text", data: "hey", metadata: { a: "b" } });
          await kind.succeeds(socket, 1);
        }
        assert.ok((await hub.deliveries()).every(({ error }) => error === null));
      });

      test("an answer to a reliable client is numbered and kept for it", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer("user.chat", text("one"));
        const alice = await hub.connectReliable();
        alice.send(event("chat", 1));
        assert.deepEqual(await alice.json(), {
          type: "message",
          from: "server",
          dataType: "text",
          data: "one",
          sequenceId: 1,
        });
        assert.equal((await alice.json()).success, true);
        alice.send({ type: "sequenceAck", sequenceId: 1 });
        const release = handler.hold("user.slow");
        alice.send(event("slow", 2));
        await handler.next("user.slow");
        alice.cut();
        release(text("two"));
        await until(async () => (await hub.deliveries()).some((one) => one.event === "slow"), "the end of the call");
        const again = await hub.recover(alice);
        assert.deepEqual((({ data, sequenceId }) => [data, sequenceId])(await again.json()), ["two", 2]);
        assert.equal((await again.ask(event("slow", 2))).error.name, "Duplicate");
      });
    });
  },
  { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
);

/** Metadata has no order of its own. */
async function receivesMetadata(kind, socket, data, metadata) {
  if (kind === JSON_CLIENT) {
    assert.deepEqual(await socket.json(), { type: "message", from: "server", dataType: "text", data, metadata });
    return;
  }
  const frame = await socket.next("the answer");
  for (const [key, value] of Object.entries(metadata))
    assert.ok(frame.includes(Buffer.concat([field(1, key), field(2, value)])), key);
}
