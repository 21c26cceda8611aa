// What waits between clients and the native server stays bounded, and only a client that does not read is closed for it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { flood } from "../support/flooding.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { residentBytes } from "../support/memory.mjs";
import { Service } from "../support/service.mjs";
import { JSON_V1, RELIABLE_V1 } from "../support/socket.mjs";

const MIB = 1 << 20;
const PAYLOAD = "x".repeat(4_000);
/** What a process may grow by for reasons of its own. */
const SLACK = 32 * MIB;

/** Publishes so many messages of 4 KB without waiting for anything; resolves with what became of it. */
const publish = (hub, { subprotocol, count, group }) =>
  flood(hub, {
    subprotocol,
    count,
    message: `{"type":"sendToGroup","group":"${group}","ackId":#,"dataType":"text","data":"# ${PAYLOAD}"}`,
  });

describe("Backlogs", () => {
  const service = new Service({ runner: "server" });
  before(() => service.start());
  after(() => service.stop());

  test("two who read 24 MB that come at once stay", async () => {
    const [hub, count] = [service.newHub(), 6_000];
    const listeners = [await hub.connect({ groups: ["g"] }), await hub.connect({ groups: ["g"] })];
    assert.deepEqual(await publish(hub, { subprotocol: JSON_V1, count, group: "g" }), { acks: count });
    for (const listener of listeners)
      for (let n = 1; n <= count; n++) assert.equal((await listener.json()).data, `${n} ${PAYLOAD}`);
  });

  test("a reliable reader stays beside a sender of another thread", async () => {
    // Sockets are served by all threads and a hub by one, so of some pairs the reader is on its hub's.
    const pair = async () => {
      const hub = service.newHub();
      const reader = await hub.connectReliable({ groups: ["g"] });
      const sender = await hub.connectReliable({ roles: ALL_ROLES });
      const message = { type: "sendToGroup", group: "g", dataType: "text", data: "x".repeat(100) };
      const [count, undelivered, between] = [10_000, 64, 50];
      let [sent, acknowledged] = [0, 0];
      for (let received = 0; received < count; received++) {
        for (; sent < Math.min(received + undelivered, count); sent++) sender.send(message);
        const { sequenceId } = await reader.json();
        assert.equal(sequenceId, received + 1);
        if (sequenceId < acknowledged + between) continue;
        acknowledged = sequenceId;
        reader.send({ type: "sequenceAck", sequenceId });
      }
    };
    for (let pairs = 0; pairs < 6; pairs++) await pair();
  });

  const isMeasured = process.platform === "linux";
  test("what a client sends too soon waits on its own machine", { skip: !isMeasured && "of /proc" }, async (t) => {
    const hub = service.newHub();
    const memory = () => residentBytes(service.pid);
    const started = memory();
    let [most, isOver] = [0, false];
    const measuring = (async () => {
      for (; !isOver; await pass(10)) most = Math.max(most, memory() - started);
    })();
    // Each of them is written before it is acknowledged.
    await hub.connectReliable({ groups: ["g"] });
    const count = 4_000;
    const publishers = Array.from({ length: 4 }, () =>
      publish(hub, { subprotocol: RELIABLE_V1, count, group: "none" }),
    );
    const fates = await Promise.all(publishers);
    isOver = true;
    await measuring;
    for (const fate of fates) assert.deepEqual(fate, { acks: count });
    t.diagnostic(`it grew by ${Math.round(most / MIB)} MiB at most`);
    // All that they sent are 64 MiB.
    assert.ok(most < SLACK, `it grew by ${most} bytes`);
  });
});
