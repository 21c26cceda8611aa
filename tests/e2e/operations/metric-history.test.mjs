// The last hour of metrics, minute by minute: of each shard, and of a hub.
import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachShardCount } from "../../support/service.mjs";

const PATH = "metrics/history";
const CONNECTIONS = "webpubsub_connections";
const OPENED = "webpubsub_connections_opened_total";
const CLOSED = "webpubsub_connections_closed_total";

const sum = (values) => values.reduce((total, value) => total + value, 0);

forEachShardCount(
  "The history of metrics",
  (service) => {
    /** What the service remembers of a hub. */
    const historyOf = async (hub) => {
      const { status, headers, body } = await service.manage("GET", PATH);
      assert.equal(status, 200, body);
      assert.equal(headers["cache-control"], "no-store");
      return JSON.parse(body).hubs.find(({ hub: name }) => name === hub.name);
    };
    /** By how much a counter grew in the last hour. */
    const growth = ({ metrics }, name) => sum(metrics[name] ?? []);

    test("a hub has its shards' minutes and their sums", async () => {
      const hub = service.newHub();
      const clients = await Promise.all(Array.from({ length: 5 }, () => hub.connect({})));
      await clients[0].close();
      assert.equal(await hub.exists(`/connections/${clients[0].id}`), false);
      const { total, shards } = await historyOf(hub);
      assert.equal(shards.length, service.shards);
      assert.deepEqual([growth(total, OPENED), growth(total, CLOSED)], [5, 1]);
      assert.equal(total.metrics[CONNECTIONS].at(-1), 4);
      assert.equal(sum(shards.map((shard) => growth(shard, OPENED))), 5);
      assert.equal(sum(shards.map(({ metrics }) => metrics[CONNECTIONS]?.at(-1) ?? 0)), 4);
      for (const { minutes, metrics } of [total, ...shards]) {
        assert.ok(minutes >= 1 && minutes <= 60, String(minutes));
        for (const values of Object.values(metrics)) assert.equal(values.length, minutes);
      }
    });

    test("what was 0 throughout is not in it", async () => {
      const hub = service.newHub();
      await hub.send("", "for no client");
      const { total } = await historyOf(hub);
      assert.ok(total.minutes >= 1);
      assert.deepEqual(
        [CONNECTIONS, OPENED].filter((name) => name in total.metrics),
        [],
      );
    });

    test("only who signs for it sees it", async () => {
      for (const token of ["", "x"]) assert.equal((await service.manage("GET", PATH, { token })).status, 401);
      assert.equal((await service.manage("POST", PATH)).status, 405);
      assert.equal((await service.manage("GET", `${PATH}/`)).status, 404);
    });

    test("it begins again after a crash, like the counters", async () => {
      const hub = service.newHub();
      await hub.connectReliable();
      await hub.connect({});
      assert.equal(growth((await historyOf(hub)).total, OPENED), 2);
      await service.crash();
      await service.start();
      const { total } = await historyOf(hub);
      assert.equal(growth(total, OPENED), 0);
      assert.equal(total.metrics[CONNECTIONS].at(-1), 1, "the one that can be recovered");
    });
  },
  { steady: "it counts what shards hold" },
);
