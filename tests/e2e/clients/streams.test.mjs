// Group streams, docs/spec/client.md#streams: raw sockets, and the clients that have them, Microsoft's and ours.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import * as microsoft from "@azure/web-pubsub-client-1.1";
import { Kit } from "../../sdk/client-suite/kit.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { connectProtobuf, DATA, field, message } from "../../support/protobuf.mjs";
import { loadOurClient } from "../../support/our-client.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Queue, until } from "../../support/waiting.mjs";

const { WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } = microsoft;
const ours = await loadOurClient();

const start = (streamId, more = {}) => ({
  type: "sendToGroup",
  group: "room",
  noEcho: true,
  stream: { streamId, ...more },
});
const data = (streamId, streamSequenceId, text) => ({
  type: "streamData",
  streamId,
  streamSequenceId,
  dataType: "text",
  data: text ?? String(streamSequenceId),
});
const end = (streamId, error) => ({ type: "streamEnd", streamId, error });
const ack = (streamId, expectedSequenceId) => ({ type: "streamAck", streamId, expectedSequenceId });
const closed = (streamId) => ({ type: "streamClosed", streamId });

/** How long a stream may be idle where that is what ends it: more than the next step of a test takes. */
const IDLE_MS = 1_500;

/** Of an error: that a stream of this id has not been closed yet. */
const isStillOpen = (error) => {
  if (!/already exists/.test(error.message)) throw error;
};

/** What a stream's message says of the stream, and its payload. */
const part = ({ data, stream }) => [stream.streamSequenceId, data, stream.endOfStream ?? false, stream.error?.name];

forEachShardCount("Streams", (service) => {
  const kits = {
    plain: new Kit(service, microsoft.WebPubSubClient, () => WebPubSubJsonProtocol()),
    reliable: new Kit(service, microsoft.WebPubSubClient, () => WebPubSubJsonReliableProtocol()),
  };
  const own = new Kit(service, ours.WebPubSubClient, () => ours.WebPubSubJsonReliableProtocol());
  afterEach(async () => {
    for (const kit of [...Object.values(kits), own]) await kit.stopAll();
  });

  /** A socket that has a stream open, and a member of its group. */
  async function started(hub, options = {}) {
    const publisher = await hub.connect({ user: "alice", roles: ALL_ROLES, ...options });
    const member = await hub.connect({ groups: ["room"] });
    publisher.send(start("s"));
    assert.deepEqual(await publisher.json(), ack("s", 1));
    return { publisher, member };
  }

  test("fragments arrive in order as the group's messages", async () => {
    const { publisher, member } = await started(service.newHub());
    for (const number of [1, 2, 3]) publisher.send(data("s", number));
    publisher.send(end("s"));
    for (const streamSequenceId of [1, 2, 3]) {
      assert.deepEqual(await member.json(), {
        type: "message",
        from: "group",
        fromUserId: "alice",
        group: "room",
        dataType: "text",
        data: String(streamSequenceId),
        stream: { streamId: "s", streamSequenceId },
      });
    }
    assert.deepEqual(part(await member.json()), [4, "", true, undefined]);
    let answer = await publisher.json();
    for (let last = 1; answer.type === "streamAck"; answer = await publisher.json()) {
      assert.ok(answer.expectedSequenceId > last && answer.expectedSequenceId <= 4, "acks may be batched");
      last = answer.expectedSequenceId;
    }
    assert.deepEqual(answer, closed("s"));
    await publisher.expectSilence();
  });

  test("a duplicate is acknowledged unpublished, a gap is refused", async () => {
    const { publisher, member } = await started(service.newHub());
    const answers = [];
    for (const number of [1, 1, 3, 2]) {
      publisher.send(data("s", number));
      answers.push(await publisher.json());
    }
    assert.deepEqual(answers, [
      ack("s", 2),
      ack("s", 2),
      {
        type: "streamNack",
        streamId: "s",
        name: "InvalidSequenceId",
        message: "This is not the next fragment.",
        expectedSequenceId: 2,
      },
      ack("s", 3),
    ]);
    for (const number of [1, 2]) assert.equal(part(await member.json())[0], number);
    await member.expectSilence();
  });

  test("what cannot be done closes the stream and says why", async () => {
    const hub = service.newHub();
    const { publisher } = await started(hub);
    const stranger = await hub.connect();
    for (const [socket, frame, name] of [
      [publisher, start("s"), "BadRequest"],
      [publisher, start("t", { idleTimeoutMs: 0 }), "BadRequest"],
      [publisher, data("t", 1), "StreamNotFound"],
      [publisher, { type: "streamData", streamId: "t" }, "StreamNotFound"],
      [publisher, end("t"), "StreamNotFound"],
      [stranger, start("s"), "Forbidden"],
      [stranger, data("s", 1), "StreamNotFound"],
    ]) {
      socket.send(frame);
      const answer = await socket.json(name);
      assert.deepEqual([answer.type, answer.error.name], ["streamClosed", name], JSON.stringify(frame));
    }
    publisher.send(data("s", 1));
    assert.deepEqual(await publisher.json(), ack("s", 2));
  });

  test("an idle stream is closed for both sides", async () => {
    const hub = service.newHub();
    const publisher = await hub.connect({ roles: ALL_ROLES });
    const member = await hub.connect({ groups: ["room"] });
    publisher.send(start("s", { idleTimeoutMs: IDLE_MS }));
    assert.deepEqual(await publisher.json(), ack("s", 1));
    publisher.send(data("s", 1));
    assert.deepEqual(await publisher.json(), ack("s", 2));
    assert.equal((await publisher.json()).error.name, "IdleTimeout");
    assert.deepEqual(part(await member.json()), [1, "1", false, undefined]);
    assert.deepEqual(part(await member.json()), [2, "", true, "IdleTimeout"]);
  });

  test("the end of the publisher cancels its streams", async () => {
    const hub = service.newHub();
    const { publisher, member } = await started(hub);
    publisher.cut();
    assert.deepEqual(part(await member.json()), [1, "", true, "Cancelled"]);
  });

  test("a recovered connection goes on with its streams", async () => {
    const hub = service.newHub();
    const publisher = await hub.connectReliable({ roles: ALL_ROLES });
    const member = await hub.connectReliable({ groups: ["room"] });
    publisher.send(start("s"));
    assert.deepEqual(await publisher.json(), ack("s", 1));
    publisher.send(data("s", 1));
    assert.deepEqual(await publisher.json(), ack("s", 2));
    publisher.cut();
    const again = await hub.recover(publisher);
    const { reconnectionToken, ...connected } = await again.json();
    assert.deepEqual(connected, { type: "system", event: "connected", userId: null, connectionId: publisher.id });
    for (const number of [1, 2]) {
      again.send(data("s", number));
      assert.deepEqual(await again.json(), ack("s", number + 1));
    }
    again.cut();
    const last = await hub.recover({
      ...again,
      connected: { reconnectionToken },
      id: publisher.id,
      protocol: again.protocol,
    });
    assert.equal((await last.json()).event, "connected", "the token recovers the connection again");
    last.send(end("s"));
    assert.deepEqual(await last.json(), closed("s"));
    const received = [await member.json(), await member.json(), await member.json()];
    assert.deepEqual(
      received.map(({ sequenceId }) => sequenceId),
      [1, 2, 3],
    );
    assert.deepEqual(
      received.map((frame) => part(frame)[0]),
      [1, 2, 3],
    );
  });

  test("protobuf clients publish and receive streams", async () => {
    const hub = service.newHub();
    const publisher = await connectProtobuf(hub, { roles: ALL_ROLES });
    const member = await connectProtobuf(hub, { groups: ["room"] });
    const json = await hub.connect({ groups: ["room"] });
    const info = (number, ...more) => field(6, message(field(1, "s"), field(2, number), ...more));
    const group = message(field(1, "group"), field(2, "room"));
    publisher.send(field(1, message(field(1, "room"), field(7, message(field(1, "s"), field(2, 60_000))))));
    assert.deepEqual(await publisher.next(), field(6, message(field(1, "s"), field(2, 1))));
    publisher.send(field(13, message(field(1, "s"), field(2, 1), field(3, field(DATA.binary, Buffer.from([0, 255]))))));
    assert.deepEqual(await publisher.next(), field(6, message(field(1, "s"), field(2, 2))));
    publisher.send(field(14, message(field(1, "s"), field(2, field(2, "E1")))));
    assert.deepEqual(await publisher.next(), field(8, field(1, "s")));
    assert.deepEqual(
      await member.next(),
      field(2, message(group, field(3, field(DATA.binary, Buffer.from([0, 255]))), info(1))),
    );
    const error = field(4, message(field(1, "UserError"), field(3, "E1")));
    assert.deepEqual(
      await member.next(),
      field(2, message(group, field(3, field(DATA.text, "")), info(2, field(3, 1), error))),
    );
    assert.deepEqual(part(await json.json()), [1, "AP8=", false, undefined]);
    assert.deepEqual((await json.json()).stream.error, { name: "UserError", userErrorCode: "E1" });
  });

  for (const [kind, kit] of Object.entries(kits)) {
    /** Two clients of Microsoft's, the second a member that gathers streams. */
    async function pair(hub, options) {
      const { client: publisher } = await kit.connect(hub);
      const { client: subscriber } = await kit.connect(hub, { groups: ["room"] });
      const ended = new Queue();
      subscriber.onGroupStream(async (stream) => {
        /** @type {{ id: string, parts: unknown[], error?: unknown }} */
        const gathered = { id: stream.streamId, parts: [], error: undefined };
        try {
          for await (const { data } of stream) gathered.parts.push(data);
        } catch (error) {
          gathered.error = error;
        }
        ended.push(gathered);
      }, options);
      return { publisher, ended: () => ended.next("the end of a stream") };
    }

    test(`Microsoft's ${kind} clients open, write, end and receive streams`, async () => {
      const { publisher, ended } = await pair(service.newHub(), { handleFromStart: true });
      const outbound = await publisher.openGroupStream("room", { streamId: "mine" });
      const parts = Array.from({ length: 50 }, (_, number) => ({ number }));
      for (const one of parts) await outbound.write(one, "json");
      await outbound.write("text", "text");
      await outbound.end();
      assert.deepEqual(await ended(), { id: "mine", parts: [...parts, "text"], error: undefined });
    });

    test(`Microsoft's ${kind} clients abort streams with an error`, async () => {
      const { publisher, ended } = await pair(service.newHub());
      const outbound = await publisher.openGroupStream("room");
      await outbound.write("half", "text");
      await outbound.abort({ message: "no", userErrorCode: "E1" });
      const error = { name: "UserError", message: "no", userErrorCode: "E1" };
      assert.deepEqual(await ended(), { id: outbound.streamId, parts: ["half"], error });
    });

    test(`Microsoft's ${kind} clients learn of idle and of forbidden streams`, async () => {
      const hub = service.newHub();
      const { publisher, ended } = await pair(hub);
      const outbound = await publisher.openGroupStream("room", { idleTimeoutInMs: IDLE_MS });
      const failed = new Promise((resolve) => outbound.onError(resolve));
      await outbound.write("x", "text");
      assert.equal((await failed).name, "IdleTimeout");
      assert.deepEqual((await ended()).error, { name: "IdleTimeout" });
      await assert.rejects(outbound.write("y", "text"), /is completed/);
      const { client: stranger } = await kit.connect(hub, { roles: [] });
      await assert.rejects(stranger.openGroupStream("room"), { name: "Forbidden" });
    });

    test(`Microsoft's ${kind} clients keep parallel streams apart`, async () => {
      const { publisher, ended } = await pair(service.newHub());
      const [a, b] = [await publisher.openGroupStream("room"), await publisher.openGroupStream("room")];
      await a.write("a1", "text");
      await b.write(new Uint8Array([9, 8]).buffer, "binary");
      await a.write("a2", "text");
      await a.end();
      await b.end();
      // Each ends when its own data has been acknowledged.
      const gathered = [await ended(), await ended()];
      const parts = (stream) => gathered.find(({ id }) => id === stream.streamId)?.parts;
      assert.deepEqual([parts(a), parts(b)], [["a1", "a2"], [new Uint8Array([9, 8]).buffer]]);
    });

    test(`Microsoft's ${kind} clients end a stream without a fragment`, async () => {
      const { publisher, ended } = await pair(service.newHub());
      const [good, bad] = [await publisher.openGroupStream("room"), await publisher.openGroupStream("room")];
      await good.end();
      assert.deepEqual(await ended(), { id: good.streamId, parts: [], error: undefined });
      await bad.abort({ message: "no", userErrorCode: "E1" });
      assert.equal((await ended()).error.userErrorCode, "E1");
    });

    for (const handleFromStart of [true, false])
      test(`Microsoft's ${kind} receivers that gave up, from the start ${handleFromStart}`, async () => {
        const { publisher, ended } = await pair(service.newHub(), { handleFromStart, idleTimeoutInMs: IDLE_MS });
        const outbound = await publisher.openGroupStream("room", { streamId: "s" });
        await outbound.write("1", "text");
        const first = await ended();
        assert.deepEqual([first.parts, first.error.name], [["1"], "IdleTimeout"]);
        // What follows is a stream without its beginning.
        await outbound.write("2", "text");
        await outbound.end();
        if (!handleFromStart) assert.deepEqual((await ended()).parts, ["2"]);
        // The same id, from its beginning.
        let again;
        await until(async () => {
          await setTimeout(1);
          again = await publisher.openGroupStream("room", { streamId: "s" }).catch(isStillOpen);
          return again;
        }, "the answer to the end");
        await again.write("fresh", "text");
        await again.end();
        assert.deepEqual(await ended(), { id: "s", parts: ["fresh"], error: undefined });
      });

    test(`Microsoft's ${kind} clients receive own streams unless noEcho`, async () => {
      const { client } = await kit.connect(service.newHub(), { roles: ALL_ROLES, groups: ["room"] });
      const seen = new Queue();
      client.onGroupStream((stream) => seen.push(stream.streamId));
      for (const [streamId, noEcho] of [
        ["quiet", true],
        ["loud", false],
      ]) {
        const outbound = await client.openGroupStream("room", { streamId, noEcho });
        await outbound.write("x", "text");
        await outbound.end();
      }
      assert.equal(await seen.next("a stream of its own"), "loud");
    });
  }

  /** A stream goes on across two losses of its link. */
  async function resumes(t, kit) {
    const hub = service.newHub();
    const member = await hub.connect({ groups: ["room"] });
    const { client, link } = await kit.startOverLink(t, hub);
    const outbound = await client.openGroupStream("room");
    const count = 40;
    for (let number = 1; number <= count; number++) {
      await outbound.write(String(number), "text");
      if (number % 15 === 0) link.cut();
    }
    await outbound.end();
    for (let number = 1; number <= count; number++) {
      assert.deepEqual(part(await member.json()), [number, String(number), false, undefined]);
    }
    assert.deepEqual(part(await member.json()), [count + 1, "", true, undefined]);
  }

  test("Microsoft's client resumes its streams after a recovery", (t) => resumes(t, kits.reliable));

  test("our client resumes its streams after a recovery", (t) => resumes(t, own));

  test("our client receives streams across a recovery", async (t) => {
    const hub = service.newHub();
    const { client, link, events } = await own.startOverLink(t, hub);
    await client.joinGroup("room");
    const ended = new Queue();
    client.onGroupStream(async (stream) => {
      const parts = [];
      for await (const { data } of stream) parts.push(data);
      ended.push(parts);
    });
    const { client: publisher } = await own.connect(hub);
    const outbound = await publisher.openGroupStream("room");
    const sent = Array.from({ length: 30 }, (_, number) => String(number));
    for (const [number, text] of sent.entries()) {
      await outbound.write(text, "text");
      if (number % 10 === 5) link.cut();
    }
    await outbound.end();
    assert.deepEqual(await ended.next("the end of a stream"), sent);
    assert.equal(events.order.includes("disconnected"), false);
  });

  test("our client's streams end with a connection lost for good", async (t) => {
    const hub = service.newHub();
    const member = await hub.connect({ groups: ["room"] });
    const { client, link, events, id } = await own.startOverLink(t, hub);
    const outbound = await client.openGroupStream("room", { streamId: "s" });
    await outbound.write("1", "text");
    assert.equal(part(await member.json())[0], 1);
    const failed = new Promise((resolve) => outbound.onError(resolve));
    // While its link is down the service gives the connection up, as after the time that it may be recovered in.
    link.down();
    const unsent = outbound.write("2", "text").catch((error) => error);
    await own.server(hub).closeConnection(id);
    assert.deepEqual(part(await member.json()), [2, "", true, "Cancelled"]);
    link.up();
    await events.next("disconnected");
    assert.match((await failed).message, /cannot be recovered/);
    await unsent;
    await assert.rejects(outbound.write("3", "text"), /is completed|cannot be recovered/);

    // The new connection has streams of its own.
    await events.next("connected");
    const again = await client.openGroupStream("room", { streamId: "s" });
    await again.write("new", "text");
    await again.end();
    assert.deepEqual(part(await member.json()), [1, "new", false, undefined]);
    assert.deepEqual(part(await member.json()), [2, "", true, undefined]);
  });
});
