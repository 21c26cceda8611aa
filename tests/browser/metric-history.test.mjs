// How the page reads the last hour of metrics; this part of it runs anywhere.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lastEnd, minutesOf } from "../../www/src/service/metric-history.js";

const MINUTE = 60_000;

/** A history of a hub with two shards, the second of which woke in the minute before this one, and of a silent one. */
const history = {
  time: 100 * MINUTE + 30_000,
  asked: 500 * MINUTE + 30_000,
  hubs: [
    {
      hub: "chat",
      total: { minutes: 4, metrics: {} },
      shards: [
        { minutes: 4, metrics: { connections: [1, 2, 3, 4] } },
        { minutes: 2, metrics: { connections: [10, 20] } },
      ],
    },
    { hub: "news", total: { minutes: 0, metrics: {} }, shards: [null] },
  ],
};

describe("The page's history of metrics", () => {
  test("minutes that are over are summed over shards", () => {
    const minutes = [498, 499, 500].map((minute) => minute * MINUTE);
    const points = (values) => values.map((value, index) => [minutes[index], value]);
    assert.deepEqual(minutesOf(history, "connections"), points([1, 2, 13]));
    assert.deepEqual(minutesOf(history, "drops"), points([0, 0, 0]), "one that was 0 throughout");
    assert.equal(lastEnd(history), minutes[2]);
  });

  test("a shard has the minutes that it remembers", () => {
    const of = (shard) => minutesOf(history, "connections", ({ labels }) => labels.shard === shard);
    assert.deepEqual(of("1"), [[500 * MINUTE, 10]]);
    assert.deepEqual(
      of("0").map(([, value]) => value),
      [1, 2, 3],
    );
    assert.deepEqual(
      minutesOf(history, "connections", ({ labels }) => labels.hub === "news"),
      [],
    );
  });
});
