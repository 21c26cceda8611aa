// The native server is asked to end while it is busy: all that it acknowledged is kept, all are sent away, and it ends
// within seconds, whatever its peers do.
import assert from "node:assert/strict";
import net from "node:net";
import { describe, test } from "node:test";
import { ALL_ROLES } from "../support/hub.mjs";
import { Service } from "../support/service.mjs";
import { sign } from "../support/token.mjs";
import { until } from "../support/waiting.mjs";

/** Shards have five seconds to stop, and peers three to read what they were sent last. */
const ENDS_WITHIN_MS = 10_000;
const SUBSCRIBERS = 40;
const PUBLISHERS = 4;
const IN_FLIGHT = 20;
/** How many are acknowledged before the end. */
const ACKNOWLEDGED = 300;
/** How many are published at most: fewer than a reliable connection may leave unacknowledged. */
const MOST = 950;
const AWAY = { code: 1001, reason: "The service is going away." };

describe("The native server ends under load", () => {
  test("1001 to all, nothing acknowledged lost, within seconds", async (t) => {
    const service = await new Service({ runner: "server" }).start();
    t.after(() => service.stop());
    const hub = service.newHub();
    const open = (count, options) => Promise.all(Array.from({ length: count }, () => hub.connectReliable(options)));
    const subscribers = await open(SUBSCRIBERS, { groups: ["room"] });
    const publishers = await open(PUBLISHERS, { roles: ALL_ROLES });
    const plain = await hub.connect();

    /** @type {string[]} */
    const acknowledged = [];
    let published = 0;
    const publishing = publishers.map(async (socket, publisher) => {
      let ackId = 0;
      const publish = () => {
        if (published++ >= MOST) return;
        ackId++;
        const data = `${publisher}-${ackId}`;
        socket.send({ type: "sendToGroup", group: "room", dataType: "text", data, ackId });
      };
      for (let n = 0; n < IN_FLIGHT; n++) publish();
      try {
        for (;;) {
          const ack = await socket.json("an ack");
          if (ack.type !== "ack") continue;
          assert.equal(ack.success, true);
          acknowledged.push(`${publisher}-${ack.ackId}`);
          publish();
        }
      } catch (error) {
        assert.match(String(error), /closed with 1001/);
      }
    });
    await until(() => new Promise((resolve) => setTimeout(resolve, 5, acknowledged.length > ACKNOWLEDGED)), "load");

    const started = performance.now();
    assert.equal(await service.end(), 0);
    const took = performance.now() - started;
    t.diagnostic(`ended within ${Math.round(took)} ms, ${acknowledged.length} acknowledged`);
    assert.ok(took < ENDS_WITHIN_MS, `it took ${took} ms`);
    await Promise.all(publishing);
    for (const socket of [...publishers, ...subscribers, plain]) assert.deepEqual(await socket.closed(), AWAY);

    await service.start();
    await hub.send("/groups/room", "last");
    for (const subscriber of subscribers.slice(0, 5)) {
      const again = await hub.recover(subscriber);
      const received = new Set();
      let next = 1;
      // Whatever it received before is sent again, for it has acknowledged none.
      for (let data; data !== "last"; ) {
        const frame = await again.json();
        if (frame.type !== "message") continue;
        assert.equal(frame.sequenceId, next++);
        ({ data } = frame);
        assert.ok(!received.has(data), `${data} came twice`);
        received.add(data);
      }
      assert.deepEqual(
        acknowledged.filter((data) => !received.has(data)),
        [],
        "acknowledged and lost",
      );
      again.cut();
    }
  });

  test("peers that do not read, or say nothing, do not keep it", async (t) => {
    const service = await new Service({ runner: "server" }).start();
    t.after(() => service.stop());
    const hub = service.newHub();
    const deaf = await Promise.all(Array.from({ length: 20 }, () => hub.connect({ groups: ["deaf"] })));
    for (const socket of deaf) socket.stopReading();
    for (let n = 0; n < 12; n++) await hub.send("/groups/deaf", "d".repeat(1 << 20));
    const target = `/api/hubs/${hub.name}/:send?api-version=2024-12-01`;
    const head = `POST ${target} HTTP/1.1\r\nHost: 127.0.0.1:${service.port}\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\nAuthorization: Bearer ${sign({ aud: `${service.endpoint}${target}` }, service.key)}\r\n\r\nhalf`;
    const peers = ["", "GET / HTTP/1.1\r\nHost:", head].map((bytes) => {
      const socket = net.connect(service.port, "127.0.0.1").on("error", () => {});
      socket.write(bytes);
      return socket;
    });
    await hub.exists("/groups/deaf");
    const started = performance.now();
    assert.equal(await service.end(), 0);
    const took = performance.now() - started;
    t.diagnostic(`ended within ${Math.round(took)} ms`);
    assert.ok(took < ENDS_WITHIN_MS, `it took ${took} ms`);
    for (const socket of peers) socket.destroy();
    for (const socket of deaf) socket.cut();
  });
});
