// One client sends very much without waiting. It is served, and delays no other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { flood } from "../../support/flooding.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, RELIABLE_V1 } from "../../support/socket.mjs";

/** How often somebody else is served while a flood goes on. One that waits for all of it is served once. */
const TIMES = 8;

const floods = [
  { what: "10,000 joins", subprotocol: JSON_V1, count: 10_000, message: '{"type":"joinGroup","group":"g#","ackId":#}' },
  {
    what: "10,000 reliable joins",
    subprotocol: RELIABLE_V1,
    count: 10_000,
    message: '{"type":"joinGroup","group":"g#","ackId":#}',
  },
  { what: "10,000 reliable publishes", subprotocol: RELIABLE_V1, count: 10_000, message: publish("empty") },
  { what: "20,000 publishes", subprotocol: JSON_V1, count: 20_000, message: publish("empty") },
  { what: "2,000 publishes to 100 members", subprotocol: JSON_V1, count: 2_000, message: publish("crowd") },
  {
    what: "20,000 events that no handler takes",
    subprotocol: JSON_V1,
    count: 20_000,
    message: '{"type":"event","event":"e","ackId":#,"dataType":"text","data":"x"}',
  },
];

function publish(group) {
  return `{"type":"sendToGroup","group":"${group}","ackId":#,"dataType":"text","data":"#"}`;
}

/** Does something again and again while a flood goes on, and at least once; resolves with how often. */
async function during(flooding, act) {
  let [isOver, times] = [false, 0];
  flooding.finally(() => (isOver = true)).catch(() => {});
  do await act(++times);
  while (!isOver);
  return times;
}

forEachShardCount(
  "A flood",
  (service) => {
    for (const { what, ...messages } of floods) {
      test(`of ${what} by one client delays no other, on any hub or REST`, async (t) => {
        const [hub, other] = [service.newHub(), service.newHub()];
        const [near, far] = [await hub.connect({ roles: ALL_ROLES }), await other.connect({ roles: ALL_ROLES })];
        const crowd = await Promise.all(
          Array.from({ length: messages.message.includes("crowd") ? 100 : 0 }, () =>
            hub.connect({ groups: ["crowd"] }),
          ),
        );
        const ask = (socket) => async (n) =>
          assert.equal(
            (await socket.ask({ type: "sendToGroup", group: "mine", dataType: "text", data: "x", ackId: n })).success,
            true,
          );
        const flooding = flood(hub, messages);
        const [fate, ...times] = await Promise.all([
          flooding,
          during(flooding, ask(near)),
          during(flooding, ask(far)),
          during(flooding, () => hub.send("/groups/mine", "x")),
        ]);
        t.diagnostic(`served meanwhile: ${times.join(", ")} times`);
        assert.deepEqual(fate, { acks: messages.count });
        for (const served of times) assert.ok(served >= TIMES, `somebody was served ${served} times`);
        for (const socket of crowd)
          for (let n = 1; n <= messages.count; n++) assert.equal((await socket.json()).data, String(n));
      });
    }

    test("by one publisher keeps a reliable client acking each 50th", async () => {
      const hub = service.newHub();
      const subscriber = await hub.connectReliable({ groups: ["g"] });
      const publisher = await hub.connect({ roles: ALL_ROLES });
      let [sent, received] = [0, 0];
      const [COUNT, AHEAD] = [6_000, 64];
      const more = () => {
        while (sent < Math.min(COUNT, received + AHEAD))
          publisher.send({ type: "sendToGroup", group: "g", dataType: "text", data: String(++sent) });
      };
      more();
      while (received < COUNT) {
        const { data, sequenceId } = await subscriber.json();
        assert.deepEqual([data, sequenceId], [String(++received), received]);
        if (received % 50 === 0) subscriber.send({ type: "sequenceAck", sequenceId });
        more();
      }
      await subscriber.expectSilence();
    });

    test("by two publishers keeps reliable clients acking each 50th", async () => {
      const hub = service.newHub();
      const subscribers = await Promise.all(Array.from({ length: 4 }, () => hub.connectReliable({ groups: ["g"] })));
      const publishers = [await hub.connect({ roles: ALL_ROLES }), await hub.connect({ roles: ALL_ROLES })];
      const [COUNT, AHEAD] = [8_000, 300];
      const received = subscribers.map(() => 0);
      let sent = 0;
      const more = () => {
        while (sent < Math.min(COUNT, Math.min(...received) + AHEAD)) {
          publishers[++sent % 2].send({ type: "sendToGroup", group: "g", dataType: "json", data: sent });
        }
      };
      more();
      const receive = async (subscriber, n) => {
        const last = [0, 0];
        while (received[n] < COUNT) {
          const { data, sequenceId } = await subscriber.json();
          assert.equal(sequenceId, ++received[n]);
          assert.ok(data > last[data % 2], `${data} comes after ${last[data % 2]}`);
          last[data % 2] = data;
          if (sequenceId % 50 === 0) subscriber.send({ type: "sequenceAck", sequenceId });
          more();
        }
        await subscriber.expectSilence();
      };
      await Promise.all(subscribers.map(receive));
    });
  },
  { steady: "a flood is over before a hub has grown" },
);
