// The golden vectors of the filter language, sent to the service.
import assert from "node:assert/strict";
import { test } from "node:test";
import { matched } from "../../support/found.mjs";
import { expectInvalidFilter } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1 } from "../../support/socket.mjs";
import { readVectors } from "../../support/vectors.mjs";

/** Longer ones do not fit into a URL. */
const fits = ({ filter }) => filter.length < 2000;
/** A connection chooses neither its id nor a blank user, and speaks JSON or nothing. */
const canBe = ({ connectionId, userId, protocol = null }) =>
  connectionId === undefined && userId?.trim() !== "" && [JSON_V1, null].includes(protocol);

forEachShardCount("Filters", (service) => {
  const connect = (hub, { userId = "alice", groups = [], protocol = null }) => {
    const options = { user: userId ?? undefined, groups };
    return protocol ? hub.connect(options) : hub.connectSimple(options);
  };

  /** Publishes each filter's number to those that it lets through; returns the numbers that each of the sockets received. */
  async function received(hub, sockets, filters) {
    for (const [n, filter] of filters.entries()) await hub.send("", String(n), { query: { filter } });
    await hub.send("", "end");
    const numbers = async (socket) => {
      const all = new Set();
      for (;;) {
        const [number] = matched(/\d+|end/, socket.id ? (await socket.json()).data : await socket.next());
        if (number === "end") return all;
        all.add(Number(number));
      }
    };
    return Promise.all(sockets.map(numbers));
  }

  test("a filter picks the connections that its vector says", async () => {
    const hub = service.newHub();
    const vectors = readVectors("filters/matches").filter(
      (vector) => fits(vector) && !/connectionId/i.test(vector.filter),
    );
    assert.ok(vectors.length > 150);
    const subjects = vectors.flatMap(({ matches, misses }) => [...matches, ...misses]).filter(canBe);
    const sockets = new Map();
    for (const subject of subjects) {
      const key = JSON.stringify(subject);
      if (!sockets.has(key)) sockets.set(key, await connect(hub, subject));
    }
    const numbers = await received(
      hub,
      [...sockets.values()],
      vectors.map(({ filter }) => filter),
    );
    const receivedBy = new Map([...sockets.keys()].map((key, n) => [key, numbers[n]]));
    for (const [n, { filter, matches, misses }] of vectors.entries()) {
      for (const [subjects, expected] of [
        [matches, true],
        [misses, false],
      ]) {
        for (const subject of subjects.filter(canBe))
          assert.equal(
            receivedBy.get(JSON.stringify(subject)).has(n),
            expected,
            `${filter} on ${JSON.stringify(subject)}`,
          );
      }
    }
  });

  test("a filter picks by id, by groups and by subprotocol", async () => {
    const hub = service.newHub();
    const sockets = [
      await hub.connect({ groups: ["g1", "g2"] }),
      await hub.connect({ groups: ["g2"] }),
      await hub.connectReliable({ groups: ["g2"] }),
    ];
    const [{ id }, , reliable] = sockets;
    const expected = {
      [`connectionId eq '${id}' and 'g2' in groups and protocol eq '${JSON_V1}'`]: [true, false, false],
      [`connectionId in ('${id}', '${reliable.id}')`]: [true, false, true],
      [`substring(connectionId, 1) eq '${id.slice(1)}'`]: [true, false, false],
      [`length(connectionId) eq ${id.length} and not (protocol eq '${JSON_V1}')`]: [false, false, true],
      "'G1' in groups": [false, false, false],
    };
    const numbers = await received(hub, sockets, Object.keys(expected));
    for (const [n, [filter, picked]] of Object.entries(expected).entries()) {
      assert.deepEqual(
        numbers.map((all) => all.has(n)),
        picked,
        filter,
      );
    }
  });

  test("an invalid filter is refused in its vector's words", async () => {
    const hub = service.newHub();
    const socket = await hub.connect();
    for (const { filter, error } of readVectors("filters/refused").filter(fits)) {
      if (filter === "") continue;
      const answer = await hub.rest("POST", "/:send", {
        query: { filter },
        headers: { "content-type": "text/plain" },
        body: "x",
      });
      expectInvalidFilter(answer, "filter", error);
    }
    await socket.expectSilence();
  });
});
