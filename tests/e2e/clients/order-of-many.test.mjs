// Fifty connections at once: each receives what each publishes in the order sent, and is answered in the order asked.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { bytesAt, connectProtobuf, field, message } from "../../support/protobuf.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { PROTOBUF_RELIABLE_V1, PROTOBUF_V1 } from "../../support/socket.mjs";

const CONNECTIONS = 50;
const EACH = 10;
const ROUNDS = 5;
/** A pong in protobuf: a field that is empty. */
const PONG_BYTES = 2;

forEachShardCount("The order of many", (service) => {
  /** Fifty JSON connections, every other one reliable. */
  const connectAll = (hub, options) =>
    Promise.all(
      Array.from({ length: CONNECTIONS }, (_, n) => {
        const all = { user: String(n), roles: ALL_ROLES, ...options };
        return n % 2 ? hub.connect(all) : hub.connectReliable(all);
      }),
    );

  test("who publish at the same time, to each and protobuf clients", async () => {
    const hub = service.newHub();
    const groups = ["room"];
    const connections = await connectAll(hub, { groups });
    const binary = await Promise.all(
      [PROTOBUF_V1, PROTOBUF_RELIABLE_V1].map((protocol) => connectProtobuf(hub, { protocol, groups })),
    );
    for (let n = 1; n <= EACH; n++) {
      for (const [from, connection] of connections.entries()) {
        connection.send({ type: "sendToGroup", group: "room", dataType: "text", data: `${n} of ${from}`, ackId: n });
      }
    }
    /** Takes what there is to receive, from a function that gives the next payload. */
    async function expectAll(next) {
      const received = Array(CONNECTIONS).fill(0);
      for (let left = EACH * CONNECTIONS; left > 0; left--) {
        const [n, from] = (await next()).split(" of ").map(Number);
        assert.equal(n, ++received[from], `from ${from}`);
      }
      assert.deepEqual(received, Array(CONNECTIONS).fill(EACH));
    }
    for (const connection of connections) {
      let [acked, numbered] = [0, 0];
      const next = async () => {
        const { type, ackId, success, data, sequenceId } = await connection.json();
        if (type === "message") {
          if (sequenceId !== undefined) assert.equal(sequenceId, ++numbered);
          return data;
        }
        assert.deepEqual([type, ackId, success], ["ack", ++acked, true]);
        return next();
      };
      await expectAll(next);
      while (acked < EACH) assert.deepEqual(await connection.json(), { type: "ack", ackId: ++acked, success: true });
      await connection.expectSilence();
    }
    for (const socket of binary) {
      await expectAll(async () => bytesAt(await socket.next(), 2, 3, 1).toString());
      socket.send(message(field(9, "")));
      assert.equal((await socket.next("a pong")).length, PONG_BYTES);
    }
  });

  test("who join, publish and leave without waiting for an answer", async () => {
    const hub = service.newHub();
    const connections = await connectAll(hub, {});
    for (let round = 0; round < ROUNDS; round++) {
      for (const [n, connection] of connections.entries()) {
        const group = `own ${n}`;
        const ackId = (step) => round * 4 + step;
        connection.send({ type: "joinGroup", group, ackId: ackId(1) });
        connection.send({ type: "sendToGroup", group, data: round, ackId: ackId(2) });
        connection.send({ type: "ping", answeredBy: "the service" });
        connection.send({ type: "leaveGroup", group, ackId: ackId(3) });
        connection.send({ type: "sendToGroup", group, data: "to no one else", ackId: ackId(4) });
      }
    }
    for (const connection of connections) {
      for (let round = 0; round < ROUNDS; round++) {
        const frames = [];
        while (frames.length < 6) frames.push(await connection.json());
        const acks = frames.filter(({ type }) => type === "ack").map(({ ackId, success }) => [ackId, success]);
        assert.deepEqual(
          acks,
          [1, 2, 3, 4].map((step) => [round * 4 + step, true]),
        );
        const delivered = frames.filter(({ type }) => type !== "ack").map(({ type, data }) => [type, data]);
        assert.deepEqual(delivered, [
          ["message", round],
          ["pong", undefined],
        ]);
        const at = (wanted) =>
          frames.findIndex(({ type, ackId }) => (wanted === "pong" ? type === wanted : ackId === round * 4 + wanted));
        assert.ok(at(2) < at("pong") && at("pong") < at(3), "a pong comes when it is its turn");
      }
      await connection.expectSilence();
    }
  });
});
