// Many connections with many events: each connection's come in order, whatever its handler takes its time for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AT_ONCE, EventHandler, OWN_SHARD } from "../../support/event-handler.mjs";
import { present } from "../../support/found.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { Random } from "../../support/random.mjs";
import { forEachShardCount, isNative } from "../../support/service.mjs";
import { deferred, within } from "../../support/waiting.mjs";

const CONNECTIONS = 50;
const EVENTS = 200;
const MOST_DELAY_MS = 50;
/** How many calls a shard has under way at most. */
const AT_ONCE_PER_SHARD = isNative ? 100 : 6;
const SAMPLES = 300;
/** A p90 below this says more of the machine than of the service, and so do the few that are slower than others. */
const NOISE_MS = 20;
const FEWEST_SAMPLES = 100;
const LIMIT_MS = 240_000;

/** A connection that takes acks and publishes as they come. */
class Talker {
  acked = [];
  done = deferred();
  #received;

  constructor(socket) {
    this.socket = socket;
    this.id = socket.id;
    this.#read().catch((error) => {
      this.done.reject(error);
      this.#received?.reject(error);
    });
  }

  async #read() {
    for (;;) {
      const frame = await this.socket.json();
      if (frame.type === "ack") {
        assert.equal(frame.success, true, JSON.stringify(frame));
        if (this.acked.push(frame.ackId) === EVENTS) this.done.resolve();
      } else this.#received.resolve(frame.data);
    }
  }

  /** How long it takes to receive a publish of another's, in milliseconds. */
  async receive(other, data) {
    this.#received = deferred();
    const started = performance.now();
    other.socket.send({ type: "sendToGroup", group: this.id, data });
    assert.equal(await within(this.#received.promise, "a publish"), data);
    return performance.now() - started;
  }
}

/**
 * Has connections publish to one another, one at a time, and those of another hub at the same time, as often as wanted or
 * until it is enough; how long each of both took.
 */
async function publish(talkers, elsewhere, isEnough) {
  const times = [];
  for (let n = 0; n < SAMPLES && !isEnough(); n++) {
    const pairs = [talkers, elsewhere].map((all) => [all[n % all.length], all[(n + 7) % all.length]]);
    times.push(await Promise.all(pairs.map(([to, from]) => to.receive(from, n))));
  }
  return times;
}

const p90 = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.9)];

forEachShardCount(
  "Order of events",
  (service) => {
    test("is each connection's, and publishes do not wait for it", {
      timeout: LIMIT_MS,
    }, async (t) => {
      const random = new Random(5);
      const handler = await EventHandler.start(t);
      handler.answer(
        "user.count",
        () => new Promise((resolve) => setTimeout(resolve, random.below(MOST_DELAY_MS + 1), {})),
      );
      const hub = service.newHub();
      await hub.useHandler(handler, { userEventPattern: "*", systemEvents: ["connected", "disconnected"] });
      const connect = (hub, count) =>
        Promise.all(
          Array.from({ length: count }, async (_, n) => {
            const open = n % 2 === 0 ? hub.connect : hub.connectReliable;
            const socket = await open.call(hub, { roles: ALL_ROLES });
            assert.equal((await hub.rest("PUT", `/groups/${socket.id}/connections/${socket.id}`)).status, 200);
            return new Talker(socket);
          }),
        );
      const talkers = await connect(hub, CONNECTIONS);
      // Where there are no events, a publish takes what the machine takes at that moment.
      const elsewhere = await connect(service.newHub(), 2);

      for (const { socket } of talkers) {
        for (let n = 1; n <= EVENTS; n++)
          socket.send({ type: "event", event: "count", dataType: "text", data: `${n}`, ackId: n });
      }
      const times = await publish(talkers, elsewhere, () => talkers.every(({ acked }) => acked.length === EVENTS));
      assert.ok(times.length >= FEWEST_SAMPLES, `${times.length} publishes beside events`);
      const [loaded, quiet] = [0, 1].map((where) => p90(times.map((both) => both[where])));
      t.diagnostic(`p90 of a publish: ${quiet.toFixed(1)} ms, ${loaded.toFixed(1)} ms beside events`);
      await within(Promise.all(talkers.map(({ done }) => done.promise)), "all acks", LIMIT_MS);
      await Promise.all(talkers.map(({ socket }) => socket.close(1000)));
      for (let n = 0; n < CONNECTIONS; n++) await handler.next("sys.disconnected");

      const expected = Array.from({ length: EVENTS }, (_, n) => n + 1);
      for (const { id, acked } of talkers) {
        assert.deepEqual(acked, expected);
        const [first, ...events] = handler.asked.filter(({ connection }) => connection === id);
        const last = present(events.pop(), "its last event");
        assert.deepEqual([first.kind, last.kind], ["sys.connected", "sys.disconnected"]);
        assert.deepEqual(
          events.map(({ text }) => Number(text)),
          expected,
        );
        const ids = [first, ...events, last].map((asked) => asked.id);
        assert.deepEqual(
          ids,
          ids.toSorted((a, b) => a - b),
        );
      }
      const most = handler.mostUnderWay;
      assert.ok(most > 1 && most <= AT_ONCE_PER_SHARD * service.shards, `${most} at once`);
      assert.ok(loaded <= 5 * Math.max(quiet, NOISE_MS), `p90 of a publish: ${quiet} ms, ${loaded} ms beside events`);
    });
  },
  { steady: OWN_SHARD, variables: AT_ONCE },
);
