// Invocations: an event whose answer comes back to whoever waits for it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ANY } from "../../support/client-kinds.mjs";
import { ATTEMPTS, AT_ONCE, OWN_SHARD, reset, startWithHub } from "../../support/event-handler.mjs";
import { connectProtobuf, DATA, error, field, message } from "../../support/protobuf.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { cases } from "../../support/cases.mjs";

const text = (body, more) => ({ headers: { "content-type": "text/plain", ...more }, body });
const invoke = (invocationId, more) => ({
  type: "invoke",
  invocationId,
  target: "event",
  event: "echo",
  dataType: "text",
  data: "hi",
  ...more,
});
const response = (invocationId, dataType, data) => ({
  type: "invokeResponse",
  invocationId,
  success: true,
  dataType,
  data,
});
const failure = (invocationId, name, text) => ({
  type: "invokeResponse",
  invocationId,
  success: false,
  error: { name, message: text },
});
const FAILED = ["InternalServerError", "Internal server error"];

forEachShardCount(
  "Invocations",
  (service) => {
    describe("at the same time", { concurrency: 8 }, () => {
      const start = (t, which) => startWithHub(t, service, which);

      test("reach the handler as the event that they name", async (t) => {
        const { handler, hub } = await start(t);
        const socket = await hub.connect({ user: "alice" });
        socket.send(invoke("1", { dataType: "json", data: { a: 1 }, metadata: { Trace: "t" } }));
        const asked = await handler.next("user.echo");
        assert.deepEqual([asked.text, asked.header("content-type")], ['{"a":1}', "application/json"]);
        assert.equal(asked.header("ce-type"), "azure.webpubsub.user.echo");
        assert.equal(asked.header("ce-eventName"), "echo");
        assert.equal(asked.header("ce-userId"), "alice");
      });

      for (const [what, answer, [dataType, data]] of cases([
        ["text", text("hey"), ["text", "hey"]],
        ["JSON", { headers: { "content-type": "application/json" }, body: '{"a":[1]}' }, ["json", { a: [1] }]],
        ["bytes", { body: Buffer.from([0, 255]) }, ["binary", "AP8="]],
        [
          "an Any",
          { headers: { "content-type": "application/x-protobuf" }, body: ANY },
          ["protobuf", ANY.toString("base64")],
        ],
      ])) {
        test(`are answered with what the handler says: ${what}`, async (t) => {
          const { handler, hub } = await start(t);
          handler.answer("user.echo", answer);
          const socket = await hub.connect();
          socket.send(invoke("one"));
          assert.deepEqual(await socket.json(), response("one", dataType, data));
          await socket.expectSilence();
        });
      }

      test("are answered without data where the handler sends none", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer("user.echo", { status: 204 }, {});
        const socket = await hub.connect();
        for (let n = 0; n < 2; n++) {
          socket.send({ type: "invoke", invocationId: `${n}`, target: "event", event: "echo" });
          assert.deepEqual(await socket.json(), { type: "invokeResponse", invocationId: `${n}`, success: true });
          assert.equal((await handler.next("user.echo")).text, "");
        }
      });

      for (const [what, answer, attempts] of cases([
        ["400", { ...text("no"), status: 400 }, 1],
        ["500", { status: 500 }, ATTEMPTS],
        ["a connection that is reset", reset, ATTEMPTS],
        ["an unknown content type", { headers: { "content-type": "text/html" }, body: "x" }, 1],
      ])) {
        test(`fail as an event does: ${what}`, async (t) => {
          const { handler, hub } = await start(t);
          handler.answer("user.echo", answer);
          const socket = await hub.connect();
          socket.send(invoke("1"));
          assert.deepEqual(await socket.json(), failure("1", ...FAILED));
          assert.equal(handler.count("user.echo"), attempts);
          handler.answer("user.echo", text("better"));
          socket.send(invoke("1"));
          assert.deepEqual(await socket.json(), response("1", "text", "better"));
        });
      }

      test("that no handler asks for fail", async (t) => {
        const { hub } = await start(t, { userEventPattern: "other" });
        const socket = await hub.connect();
        socket.send(invoke("1"));
        assert.deepEqual(await socket.json(), failure("1", ...FAILED));
      });

      test("have ids that are unique while they are pending", async (t) => {
        const { handler, hub } = await start(t);
        const release = handler.hold("user.echo");
        const socket = await hub.connect();
        for (let n = 0; n < 2; n++) socket.send(invoke("1"));
        const refused = await socket.json();
        assert.deepEqual([refused.invocationId, refused.success, refused.error.name], ["1", false, "BadRequest"]);
        assert.ok(refused.error.message.length > 0);
        await handler.next("user.echo");
        release(text("first"));
        assert.deepEqual(await socket.json(), response("1", "text", "first"));
        handler.answer("user.echo", text("again"));
        socket.send(invoke("1"));
        assert.deepEqual(await socket.json(), response("1", "text", "again"));
        assert.equal(handler.count("user.echo"), 2);
      });

      test("keep the order of their connection's events", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer("user.echo", ({ text: body }) => text(body));
        const socket = await hub.connect();
        for (let n = 1; n <= 3; n++) {
          socket.send(invoke(`${n}`, { data: `invoked ${n}` }));
          socket.send({ type: "event", event: "echo", dataType: "text", data: `sent ${n}`, ackId: n });
        }
        for (let n = 1; n <= 3; n++) {
          assert.deepEqual(await socket.json(), response(`${n}`, "text", `invoked ${n}`));
          assert.equal((await socket.json()).data, `sent ${n}`);
          assert.equal((await socket.json()).ackId, n);
        }
      });

      test("that are cancelled are not answered, and free their ids", async (t) => {
        const { handler, hub } = await start(t);
        const release = handler.hold("user.echo");
        const socket = await hub.connect();
        for (const id of ["1", "2"]) socket.send(invoke(id));
        await handler.next("user.echo");
        for (const id of ["1", "2", "unknown"]) socket.send({ type: "cancelInvocation", invocationId: id });
        await socket.expectSilence();
        release(text("too late"));
        handler.answer("user.echo", text("again"));
        socket.send(invoke("1"));
        assert.deepEqual(await socket.json(), response("1", "text", "again"));
        await socket.expectSilence();
      });

      test("have no sequence ids, and their answers are not kept", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer("user.echo", text("hey"));
        const socket = await hub.connectReliable();
        socket.send(invoke("1"));
        assert.deepEqual(await socket.json(), response("1", "text", "hey"));
        const release = handler.hold("user.slow");
        socket.send(invoke("2", { event: "slow" }));
        const asked = await handler.next("user.slow");
        socket.cut();
        release(text("lost"));
        await asked.over;
        const again = await hub.recover(socket);
        await hub.send(`/connections/${socket.id}`, "numbered");
        let received = await again.json();
        // It may have been under way when its client came back.
        if (received.type === "invokeResponse") received = await again.json();
        assert.deepEqual([received.data, received.sequenceId], ["numbered", 1]);
      });

      test("of protobuf clients", async (t) => {
        const { handler, hub } = await start(t);
        handler.answer(
          "user.echo",
          ({ text: body }) => text(`hey ${body}`, { "x-webpubsub-metadata-a": "b" }),
          { status: 204 },
          { status: 400 },
        );
        const socket = await connectProtobuf(hub);
        const invokeEvent = (id) =>
          field(
            10,
            message(
              field(1, "echo"),
              field(2, id),
              field(3, field(DATA.text, "hi")),
              field(4, message(field(1, "Trace"), field(2, "t"))),
            ),
          );
        socket.send(invokeEvent("1"));
        const first = Buffer.from(await socket.next());
        const expected = [field(1, "1"), field(2, 1), field(3, field(DATA.text, "hey hi"))];
        assert.ok(
          [expected, [...expected, field(5, message(field(1, "a"), field(2, "b")))]].some((fields) =>
            first.equals(field(5, message(...fields))),
          ),
          first.toString("hex"),
        );
        assert.equal((await handler.next("user.echo")).header("x-webpubsub-metadata-trace"), "t");
        socket.send(invokeEvent("2"));
        assert.deepEqual(await socket.next(), field(5, message(field(1, "2"), field(2, 1))));
        socket.send(invokeEvent("3"));
        assert.deepEqual(await socket.next(), field(5, message(field(1, "3"), field(4, error(FAILED[0], FAILED[1])))));
        socket.send(field(11, field(1, "4")));
        socket.send(field(9, ""));
        assert.deepEqual(await socket.next(), field(4, ""));
      });
    });
  },
  { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
);
