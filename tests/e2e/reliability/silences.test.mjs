// Objects sleep through silences, and through pings: how often they are put together is counted.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { ALL_ROLES } from "../../support/hub.mjs";
import { InspectedService } from "../../support/inspected.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const SILENCES = 3;
/** Objects sleep after ten seconds; one that an alarm wakes then, after twenty. */
const SILENCE_MS = 14_000;
const PING_MS = 25_000;

/** The part of a connection's id that says on which shard it is: a byte of format and two of the shard's number. */
const shardOf = ({ id }) => id.slice(0, 4);

forEachShardCount(
  "Silences",
  (/** @type {InspectedService} */ service) => {
    describe("at the same time", { concurrency: true }, () => {
      test("messages around three silences arrive once and in order", async () => {
        const hub = service.newHub();
        const options = { groups: ["room"], roles: ALL_ROLES };
        const members = await Promise.all([hub.connect(options), hub.connectReliable(options)]);
        while (new Set(members.map(shardOf)).size < service.shards) members.push(await hub.connectReliable(options));
        let count = 0;
        async function expectReceived(data) {
          count++;
          for (const member of members) {
            const received = await member.json();
            assert.equal(received.data, data);
            if (received.sequenceId === undefined) continue;
            assert.equal(received.sequenceId, count);
            member.send({ type: "sequenceAck", sequenceId: count });
          }
          for (const member of members) await member.expectSilence();
        }
        const publish = (data) => members[0].send({ type: "sendToGroup", group: "room", dataType: "text", data });

        publish("at first");
        await expectReceived("at first");
        let constructions = service.constructions(hub);
        assert.equal(constructions, service.shards);
        // The shard that relays what its client publishes has an alarm ten seconds later.
        const relaying = service.shards > 1 ? 1 : 0;
        for (let n = 1; n <= SILENCES; n++) {
          publish(`before silence ${n}`);
          await expectReceived(`before silence ${n}`);
          await pass(SILENCE_MS);
          await hub.send("/groups/room", `during silence ${n}`);
          await expectReceived(`during silence ${n}`);
          publish(`after silence ${n}`);
          await expectReceived(`after silence ${n}`);
          const again = service.constructions(hub) - constructions;
          assert.ok(
            again >= service.shards - relaying && again <= service.shards + relaying,
            `${again} after silence ${n}`,
          );
          constructions += again;
        }
      });

      test("a client that only pings has its object sleep", async () => {
        const hub = service.newHub();
        const socket = await hub.connect();
        assert.equal(service.constructions(hub), 1);
        for (const end = performance.now() + PING_MS; performance.now() < end; await pass(1_000)) {
          socket.send('{"type":"ping"}');
          assert.deepEqual(await socket.json(), { type: "pong" });
        }
        assert.equal(service.constructions(hub), 1);
        await hub.send("", "awake?");
        assert.equal((await socket.json()).data, "awake?");
        assert.equal(service.constructions(hub), 1 + service.shards, "it did sleep");
      });
    });
  },
  { Kind: InspectedService, steady: "it counts how often shards are put together", isOfWorkerd: true },
);
