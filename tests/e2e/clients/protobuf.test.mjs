// The protobuf subprotocols: the handshake, the frames, and what each kind of client receives from the others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import {
  acked,
  bytesAt,
  connectProtobuf as connect,
  DATA,
  error,
  field,
  message,
  refused,
} from "../../support/protobuf.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { PROTOBUF_RELIABLE_V1 } from "../../support/socket.mjs";
import { received, readVectors } from "../../support/vectors.mjs";
import { cases } from "../../support/cases.mjs";

const hex = ({ input }) => Buffer.from(input, "hex");
const vectors = (file) => readVectors(`client-protobuf/${file}`);
const frames = new Map(["upstream", "downstream"].flatMap(vectors).map((vector) => [vector.name, hex(vector)]));
const ANY = hex(vectors("any").find(({ name }) => name === "a StringValue"));
const [JOIN, LEAVE, PING] = ["join, ack id 1", "leave, ack id 2", "a ping"].map((name) => frames.get(name));
const [ACK, PONG] = ["an ack", "a pong"].map((name) => frames.get(name));
const LIMIT = 1_048_576;

const disconnected = (reason) => field(3, field(2, field(2, reason)));
const send = (group, kind, data, ...more) =>
  field(1, message(field(1, group), field(3, field(DATA[kind], data)), ...more));
const fromServer = (kind, data, ...more) =>
  field(2, message(field(1, "server"), field(3, field(DATA[kind], data)), ...more));
const fromGroup = (group, kind, data, ...more) =>
  field(2, message(field(1, "group"), field(2, group), field(3, field(DATA[kind], data)), ...more));

const connectReliable = (hub, options) => connect(hub, { protocol: PROTOBUF_RELIABLE_V1, ...options });

/** Fails unless this frame, byte for byte, is the next one. */
const expectFrame = async (socket, frame, what) => assert.deepEqual(await socket.next(what), frame, what);

/** Fails if anything was sent to this protobuf connection before what the service has accepted so far. */
async function expectSilence(socket) {
  socket.send(PING);
  await expectFrame(socket, PONG, "a pong and nothing before it");
}

forEachShardCount("Protobuf clients", (service) => {
  test("both subprotocols are echoed; the first frame names a client", async () => {
    const hub = service.newHub();
    const alice = await connect(hub, { user: "alice" });
    assert.deepEqual(alice.connected, message(field(1, alice.id), field(2, "alice")));
    assert.equal(await hub.exists(`/connections/${alice.id}`), true);
    const anonymous = await connect(hub);
    assert.deepEqual(anonymous.connected, field(1, anonymous.id));
    const reliable = await connectReliable(hub, { user: "bob" });
    const token = bytesAt(reliable.connected, 3);
    assert.ok(token.length > 0);
    assert.deepEqual(reliable.connected, message(field(1, reliable.id), field(2, "bob"), field(3, token)));
  });

  test("pings are answered", async () => {
    const alice = await connect(service.newHub());
    await expectSilence(alice);
  });

  test("a member receives until it leaves; acks come if asked for", async () => {
    const hub = service.newHub();
    const alice = await connect(hub, { roles: ALL_ROLES });
    alice.send(JOIN);
    await expectFrame(alice, ACK);
    await hub.send("/groups/room", "hi");
    await expectFrame(alice, fromGroup("room", "text", "hi"));
    alice.send(send("room", "text", "to myself"));
    await expectFrame(alice, fromGroup("room", "text", "to myself"));
    alice.send(frames.get("send text without an echo"));
    await expectFrame(alice, acked(3));
    alice.send(LEAVE);
    await expectFrame(alice, acked(2));
    await hub.send("/groups/room", "gone?");
    alice.send(frames.get("join, no ack id"));
    await expectSilence(alice);
    assert.equal(await hub.exists("/groups/room"), true);
  });

  test("an ack id of 0 is one, and an ack id counts once", async () => {
    const hub = service.newHub();
    const alice = await connect(hub, { roles: ALL_ROLES });
    alice.send(frames.get("join, ack id 0"));
    await expectFrame(alice, frames.get("an ack of id 0 leaves it out"));
    alice.send(LEAVE);
    await expectFrame(alice, acked(2));
    alice.send(LEAVE);
    await expectFrame(alice, frames.get("an ack of what was done before"));
  });

  test("what is not allowed is refused in the ack", async () => {
    const alice = await connect(service.newHub());
    alice.send(JOIN);
    await expectFrame(alice, refused(1, "Forbidden", "The client does not have permission to join group 'room'."));
  });

  test("a server's messages of every type arrive", async () => {
    const hub = service.newHub();
    const alice = await connect(hub, { user: "alice" });
    await hub.send("", "hi");
    await hub.send("/users/alice", '{"a":1}', { type: "application/json" });
    await hub.send(`/connections/${alice.id}`, Buffer.from([0, 255]), { type: "application/octet-stream" });
    await expectFrame(alice, fromServer("text", "hi"));
    await expectFrame(alice, frames.get("JSON from a server"));
    await expectFrame(alice, frames.get("binary from a server"));
  });

  test("reliable clients get numbered messages", async () => {
    const hub = service.newHub();
    const alice = await connectReliable(hub, { groups: ["room"] });
    await hub.send("/groups/room", "hi");
    await expectFrame(alice, frames.get("a text to a group, numbered"));
    alice.send(field(8, field(1, 1)));
    await hub.send("", "more");
    await expectFrame(alice, fromServer("text", "more", field(4, 2)));
  });

  test("a sequence ack of an unsent message closes if reliable only", async () => {
    const hub = service.newHub();
    const [alice, plain] = [await connectReliable(hub), await connect(hub)];
    for (const socket of [alice, plain]) socket.send(frames.get("a sequence ack"));
    await expectSilence(plain);
    await expectFrame(alice, disconnected("The client message is not a valid protobuf protocol message."));
    assert.equal((await alice.closed()).code, 1007);
    assert.equal(await hub.exists(`/connections/${alice.id}`), false);
  });

  test("a recovery resends the unacknowledged, the missed, the new", async () => {
    const hub = service.newHub();
    const bob = await connect(hub, { roles: ALL_ROLES });
    const alice = await connectReliable(hub, { groups: ["room"] });
    const payloads = [
      ["text", "one"],
      ["json", '{"two":2}'],
      ["protobuf", ANY],
      ["text", "four"],
      ["binary", Buffer.from([5])],
      ["text", "six"],
    ];
    const publish = async (from, to) => {
      for (const [kind, data] of payloads.slice(from - 1, to)) bob.send(send("room", kind, data));
      await expectSilence(bob);
    };
    const expectNumbers = async (socket, from, to) => {
      for (let n = from; n <= to; n++)
        await expectFrame(socket, fromGroup("room", ...payloads[n - 1], field(4, n)), `message ${n}`);
    };
    await publish(1, 3);
    await expectNumbers(alice, 1, 3);
    alice.send(field(8, field(1, 2)));
    await expectSilence(alice);
    alice.cut();
    await publish(4, 5);
    const reconnectionToken = bytesAt(alice.connected, 3).toString();
    const again = await hub.recover({ id: alice.id, connected: { reconnectionToken }, protocol: PROTOBUF_RELIABLE_V1 });
    await expectNumbers(again, 3, 5);
    await publish(6, 6);
    await expectNumbers(again, 6, 6);
  });

  test("protobuf, JSON and simple clients receive from each other", async () => {
    const hub = service.newHub();
    const room = { roles: ALL_ROLES, groups: ["room"] };
    const protobuf = await connect(hub, { user: "p", ...room });
    const reliable = await connectReliable(hub, room);
    const json = await hub.connect({ user: "j", ...room });
    const simple = await hub.connectSimple(room);
    let sequenceId = 0;
    for (const [kind, bytes, dataType, data, raw] of cases([
      ["text", "grüße 🚀", "text", "grüße 🚀", "grüße 🚀"],
      ["text", "", "text", "", ""],
      ["json", '{"a":[1,null]}', "json", { a: [1, null] }, '{"a":[1,null]}'],
      ["binary", Buffer.from([0, 255]), "binary", "AP8=", Buffer.from([0, 255])],
      ["protobuf", ANY, "protobuf", ANY.toString("base64"), ANY],
    ])) {
      for (const [sender, what, fromUserId] of cases([
        [protobuf, send("room", kind, bytes), "p"],
        [json, { type: "sendToGroup", group: "room", dataType, data }, "j"],
      ])) {
        sender.send(what);
        await expectFrame(protobuf, fromGroup("room", kind, bytes), kind);
        await expectFrame(reliable, fromGroup("room", kind, bytes, field(4, ++sequenceId)), kind);
        assert.deepEqual(await json.json(), {
          type: "message",
          from: "group",
          fromUserId,
          group: "room",
          dataType,
          data,
        });
        assert.deepEqual(await simple.next(), raw, kind);
      }
    }
  });

  test("every accepted frame is answered as its words say", async () => {
    const hub = service.newHub();
    for (const vector of vectors("upstream")) {
      const { name, expected } = vector;
      const listener = expected.message === "sendToGroup" ? await hub.connect({ groups: [expected.group] }) : undefined;
      const socket = await connect(hub, { roles: ALL_ROLES });
      socket.send(hex(vector));
      if (expected.message === "ping") await expectFrame(socket, PONG, name);
      if (expected.message === "invoke")
        await expectFrame(
          socket,
          field(
            5,
            message(field(1, expected.invocationId), field(4, error("InternalServerError", "Internal server error"))),
          ),
          name,
        );
      const ackId = expected.ackId && BigInt(expected.ackId);
      if (ackId === 0n) await expectFrame(socket, frames.get("an ack of id 0 leaves it out"), name);
      else if (ackId)
        await expectFrame(
          socket,
          expected.message === "event" ? refused(ackId, "InternalServerError", "Internal server error") : acked(ackId),
          name,
        );
      if (listener) assert.equal(await listener.next(), received(expected), name);
      await expectSilence(socket);
      socket.cut();
      listener?.cut();
    }
  });

  test("1 MiB is delivered whole, and one byte more closes with 1009", async () => {
    const hub = service.newHub();
    const listener = await connect(hub, { groups: ["room"] });
    const sender = await connect(hub, { roles: ALL_ROLES });
    const bytes = (length) => send("room", "binary", Buffer.alloc(length, 7));
    const filling = LIMIT - (bytes(LIMIT).length - LIMIT);
    assert.equal(bytes(filling).length, LIMIT);
    sender.send(bytes(filling));
    await expectFrame(listener, fromGroup("room", "binary", Buffer.alloc(filling, 7)));
    sender.send(bytes(filling + 1));
    await expectClose(sender, 1009, "The client message is too large.");
  });

  test("metadata arrives as it was sent", async () => {
    const hub = service.newHub();
    const protobuf = await connect(hub, { roles: ALL_ROLES, groups: ["room"] });
    const json = await hub.connect({ groups: ["room"] });
    protobuf.send(frames.get("send with a time to live and metadata"));
    await expectFrame(protobuf, fromGroup("room", "text", "hi", field(5, message(field(1, "trace"), field(2, "t")))));
    assert.deepEqual((await json.json()).metadata, { trace: "t" });
  });

  /** Fails unless the connection is closed with this code and these words, which it receives before. */
  async function expectClose(socket, code, reason) {
    await expectFrame(socket, disconnected(reason), reason);
    assert.deepEqual(await socket.closed(), { code, reason });
  }

  for (const [name, open] of cases([
    ["plain", connect],
    ["reliable", connectReliable],
  ])) {
    test(`a text frame closes a ${name} connection with 1003`, async () => {
      const hub = service.newHub();
      // Not the one text that is answered on every connection before the service sees it: {"type":"ping"}.
      for (const text of ["hello", '{"type":"ping" }', ""]) {
        const socket = await open(hub);
        socket.send(text);
        await expectClose(socket, 1003, "The protobuf subprotocol requires binary messages.");
        assert.equal(await hub.exists(`/connections/${socket.id}`), false);
      }
    });

    test(`an invalid message closes that ${name} connection with 1007`, async () => {
      const hub = service.newHub();
      const witness = await open(hub);
      for (const vector of vectors("upstream-refused")) {
        const socket = await open(hub, { roles: ALL_ROLES });
        socket.send(hex(vector));
        await expectClose(socket, 1007, "The client message is not a valid protobuf protocol message.");
      }
      await expectSilence(witness);
    });
  }

  test("a server that closes a connection says why", async () => {
    const hub = service.newHub();
    const sockets = [await connect(hub), await connectReliable(hub)];
    assert.equal((await hub.rest("POST", "/:closeConnections", { query: { reason: "bye" } })).status, 204);
    for (const socket of sockets) {
      await expectFrame(socket, disconnected("Application server closed the connection. Reason: bye"));
      assert.deepEqual(await socket.closed(), { code: 1000, reason: "" });
    }
  });
});
