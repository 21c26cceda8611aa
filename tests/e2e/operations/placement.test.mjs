// Which shard a new client comes to.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { upgrade } from "../../support/rest.mjs";
import { Service } from "../../support/service.mjs";
import { JSON_V1, Refused } from "../../support/socket.mjs";

const shardOf = ({ id }) => Buffer.from(id, "base64url").readUInt16BE(1);

/** A service for all tests of a suite. */
function serve(options) {
  const service = new Service(options);
  before(() => service.start());
  after(() => service.stop());
  return service;
}

describe("New clients of four shards", () => {
  const service = serve({ shards: 4 });

  /** So many more clients, some at once. */
  async function join(hub, clients, count, atOnce) {
    for (let n = 0; n < count; n += atOnce)
      clients.push(...(await Promise.all(Array.from({ length: atOnce }, () => hub.connect()))));
  }

  const counts = (clients) => [0, 1, 2, 3].map((shard) => clients.filter((client) => shardOf(client) === shard).length);

  function expectBalance(clients) {
    const each = counts(clients);
    assert.ok(Math.max(...each) <= 1.15 * Math.min(...each), `the shards have ${each}`);
  }

  for (const atOnce of [1, 20]) {
    test(`are spread evenly, also when others leave: ${atOnce} at once`, async () => {
      const hub = service.newHub();
      let clients = [];
      await join(hub, clients, 200, atOnce);
      expectBalance(clients);

      const leaving = clients.filter((client) => shardOf(client) === 2);
      await Promise.all(leaving.map((client) => client.close(1000)));
      clients = clients.filter((client) => !leaving.includes(client));
      await join(hub, clients, 300, atOnce);
      expectBalance(clients);
    });
  }

  test("do not learn how many there are", async () => {
    const { pathname, search } = new URL(service.newHub().clientUrl());
    const { status, headers } = await upgrade(service.endpoint, pathname + search, {
      "sec-websocket-protocol": JSON_V1,
    });
    assert.deepEqual([status, headers["sec-websocket-protocol"]], [101, JSON_V1]);
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith("x-")),
      [],
    );
  });
});

describe("A shard at its soft limit", () => {
  const [SHARDS, HARD_LIMIT] = [8, 2];
  const service = serve({ shards: SHARDS, variables: { SHARD_SOFT_LIMIT: 1, SHARD_HARD_LIMIT: HARD_LIMIT } });

  test("takes a client when all are full, up to the hard limit", async () => {
    const hub = service.newHub();
    const clients = [];
    const shards = () => clients.map(shardOf).sort();
    for (let n = 0; n < SHARDS; n++) clients.push(await hub.connect());
    assert.deepEqual(shards(), [0, 1, 2, 3, 4, 5, 6, 7]);
    while (clients.length < HARD_LIMIT * SHARDS) clients.push(await hub.connect());
    assert.deepEqual(shards(), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
    await assert.rejects(hub.connect(), (error) => error instanceof Refused && error.status === 503);
  });

  test("is not asked for a client that has another shard to go to", async () => {
    const hub = service.newHub();
    const clients = await Promise.all(Array.from({ length: SHARDS }, () => hub.connect()));
    assert.equal(new Set(clients.map(shardOf)).size, SHARDS);
  });
});
