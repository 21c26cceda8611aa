// Thousands of peers that are silent, slow or do not read, on the native server: its memory stays within bounds, and
// others are served.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { ALL_ROLES } from "../support/hub.mjs";
import { processorMs, residentBytes } from "../support/memory.mjs";
import { frame, upgradeRequest } from "../support/raw.mjs";
import { Service } from "../support/service.mjs";
import { sign } from "../support/token.mjs";
import { within } from "../support/waiting.mjs";

const AT_ONCE = 200;
const MIB = 1 << 20;
/** A ping of the subprotocol that is as long as a message may be, or nearly. */
const LONG_PING = (() => {
  const payload = Buffer.from(JSON.stringify({ type: "ping", barrier: "x".repeat(MIB - 100) }));
  const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(payload.length, 6);
  return Buffer.concat([head, payload]);
})();
const PING = frame(1, Buffer.from('{"type":"ping"}'));

describe("Crowds of bad peers", { skip: process.platform !== "linux" && "memory is read from /proc" }, () => {
  let service, hub, witness;
  // Memory that one crowd has left would hide what the next one takes.
  beforeEach(async () => {
    service = await new Service({ runner: "server" }).start();
    hub = service.newHub();
    witness = await hub.connect({ roles: ALL_ROLES, groups: ["witnesses"] });
  });
  afterEach(() => service.stop());

  /** What the process has in memory, in bytes. */
  const memory = () => residentBytes(service.pid);

  /** A newcomer and one that was there are served. */
  async function expectService() {
    const newcomer = await hub.connect({ roles: ALL_ROLES });
    const message = { type: "sendToGroup", group: "witnesses", dataType: "text", data: "well?", ackId: 1 };
    assert.equal((await newcomer.ask(message)).success, true);
    assert.equal((await witness.json()).data, "well?");
    newcomer.cut();
  }

  async function peer(bytes) {
    const socket = net.connect(service.port, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    if (bytes) socket.write(bytes);
    return socket;
  }

  /** A WebSocket whose greeting is read, and nothing after it. */
  async function webSocket(options, bytes) {
    const socket = await peer(upgradeRequest(service, hub, options));
    let text = "";
    while (!text.includes('"connected"')) text += (await once(socket, "data"))[0].toString("latin1");
    socket.pause();
    if (bytes) socket.write(bytes);
    return socket;
  }

  /** Opens so many, has them served beside others, and returns how much memory each costs. */
  async function crowd(count, open, atOnce = AT_ONCE) {
    const started = memory();
    const sockets = [];
    while (sockets.length < count)
      sockets.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, count - sockets.length) }, open))));
    await expectService();
    const each = (memory() - started) / count;
    return { sockets, each, leave: () => sockets.forEach((socket) => socket.destroy()) };
  }

  const request = (length) => {
    const target = `/api/hubs/${hub.name}/groups/none/:send?api-version=2024-12-01`;
    const authorization = `Authorization: Bearer ${sign({ aud: `${service.endpoint}${target}` }, service.key)}`;
    const host = `Host: 127.0.0.1:${service.port}`;
    return `POST ${target} HTTP/1.1\r\n${host}\r\n${authorization}\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n\r\n`;
  };

  /** A connection for requests whose request was answered with so many bytes. */
  async function answered(bytes, length) {
    const socket = await peer(bytes);
    for (let read = 0; read < length; ) read += (await once(socket, "data"))[0].length;
    return socket.pause();
  }
  const health = () => `HEAD /api/health HTTP/1.1\r\nHost: 127.0.0.1:${service.port}\r\n`;
  const file = () => `GET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1:${service.port}\r\n\r\n`;

  /** @type {[name: string, count: number, limit: number, open: () => Promise<net.Socket>, atOnce?: number][]} */
  const crowds = [
    ["silent", 4_000, 32_768, () => peer("")],
    ["in the middle of a head", 2_000, 49_152, () => peer(`GET /client HTTP/1.1\r\nX-A: ${"a".repeat(4_000)}`)],
    // Four times as much as is kept of such heads together.
    ["in the middle of a long head", 2_000, 65_536, () => peer(`GET /client HTTP/1.1\r\nX-A: ${"a".repeat(150_000)}`)],
    ["in the middle of a body", 2_000, 65_536, () => peer(request(MIB) + "b".repeat(4_000))],
    ["idle WebSockets", 2_000, 16_384, () => webSocket({})],
    [
      "in the middle of a message",
      2_000,
      32_768,
      () => webSocket({}, frame(1, Buffer.alloc(4_000, "c"), { fin: false })),
    ],
    [
      "idle after a long message",
      300,
      32_768,
      async () => {
        const socket = await webSocket({}, LONG_PING);
        // The pong says that it was read.
        for (let text = ""; !text.includes('"pong"'); )
          text += (await once(socket.resume(), "data"))[0].toString("latin1");
        return socket;
      },
      // What an allocator keeps of so many messages at once is not what each keeps.
      10,
    ],
    ["idle after a long answer", 1_000, 49_152, () => answered(file(), 80_000)],
    ["idle after a long body", 500, 131_072, () => answered(request(900_000) + "b".repeat(900_000), 100), 10],
    ["idle after a long head", 500, 32_768, () => answered(`${health()}X-A: ${"a".repeat(150_000)}\r\n\r\n`, 50), 10],
    ["in the middle of a frame", 2_000, 32_768, () => webSocket({}, Buffer.from("81fe800001020304", "hex"))],
  ];
  for (const [name, count, limit, open, atOnce] of crowds)
    test(`${count} peers, ${name}: memory bounded, others served`, async (t) => {
      const { each, leave } = await crowd(count, open, atOnce);
      t.diagnostic(`${Math.round(each)} bytes each`);
      leave();
      assert.ok(each < limit, `${Math.round(each)} bytes each, above ${limit}`);
      await expectService();
    });

  test("600 in the middle of a megabyte: bounded, others' come", async (t) => {
    const { leave } = await crowd(600, () => webSocket({}, LONG_PING.subarray(0, -1)), 50);
    const sender = await hub.connect({ roles: ALL_ROLES });
    const message = { type: "sendToGroup", group: "witnesses", dataType: "text", data: "l".repeat(900_000), ackId: 1 };
    const most = [memory()];
    assert.equal((await sender.ask(message)).success, true);
    most.push(memory());
    assert.equal((await witness.json()).data.length, 900_000);
    await expectService();
    most.push(memory());
    t.diagnostic(`${most.map((bytes) => Math.round(bytes / MIB)).join(", ")} MiB`);
    leave();
    // About half of what they have sent.
    assert.ok(Math.max(...most) < 320 * MIB, `${most.join(", ")} bytes`);
  });

  test("5000 who wait with long messages cost others no time", async (t) => {
    const sender = await hub.connect({ roles: ALL_ROLES });
    /** What 20 messages of 500 kB take of the processor. */
    const cost = async () => {
      const started = processorMs(service.pid);
      for (let n = 0; n < 20; n++) {
        const message = { type: "sendToGroup", group: "none", dataType: "text", data: "l".repeat(500_000) };
        assert.equal((await sender.ask({ ...message, ackId: ++ackId })).success, true);
      }
      return processorMs(service.pid) - started;
    };
    let ackId = 0;
    const alone = await cost();
    // Together they are more than is kept before some have to wait, and whoever sends more learns it.
    const { sockets, leave } = await crowd(5_000, () => webSocket({}, LONG_PING.subarray(0, 17_000)));
    for (const socket of sockets) socket.write(LONG_PING.subarray(17_000, 17_100));
    await expectService();
    const beside = await cost();
    leave();
    t.diagnostic(`${alone} ms alone, ${beside} ms beside them`);
    assert.ok(beside < 20 * Math.max(alone, 50), `${beside} ms beside them, ${alone} ms alone`);
  });

  test("a peer that is gone without a word is asked for", async () => {
    const socket = await webSocket({});
    const local = `:${service.port.toString(16).toUpperCase().padStart(4, "0")}`;
    const remote = `:${(socket.localPort ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
    const sockets = readFileSync(`/proc/${service.pid}/net/tcp`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/));
    const [timer] = sockets
      .filter(([, from, to]) => from?.endsWith(local) && to?.endsWith(remote))
      .map(([, , , , , timer]) => timer.split(":").map((hex) => parseInt(hex, 16)));
    // Two is the keep-alive's timer; it counts in hundredths of a second.
    assert.equal(timer[0], 2);
    assert.ok(timer[1] <= 6_000, `within ${timer[1] / 100} s`);
    socket.destroy();
  });

  test("300 that do not read are closed, and cost no copy each", async (t) => {
    const { leave } = await crowd(300, () => webSocket({ groups: ["deaf"] }));
    const [started, body] = [memory(), "d".repeat(MIB)];
    let most = 0;
    for (let n = 0; n < 40 && (await hub.exists("/groups/deaf")); n++) {
      await hub.send("/groups/deaf", body);
      most = Math.max(most, memory() - started);
    }
    t.diagnostic(`at most ${Math.round(most / MIB)} MiB`);
    assert.equal(await hub.exists("/groups/deaf"), false, "they are closed");
    await expectService();
    assert.ok(most < 100 * MIB, `${Math.round(most / MIB)} MiB`);
    leave();
  });

  for (const [name, ping] of /** @type {const} */ ([
    ["pings of the subprotocol", PING],
    ["pings of WebSockets", frame(9, Buffer.alloc(100))],
  ]))
    test(`who sends ${name} and reads nothing is not read`, async (t) => {
      const started = memory();
      const many = Buffer.concat(Array.from({ length: 10_000 }, () => ping));
      const sockets = await Promise.all(Array.from({ length: 4 }, () => webSocket({})));
      // Far more than the system keeps of a connection.
      const sent = await Promise.all(
        sockets.map(async (socket) => {
          let bytes = 0;
          for (let isTaken = true; isTaken && bytes < 40 * MIB; bytes += many.length)
            if (!socket.write(many))
              isTaken = await Promise.race([once(socket, "drain").then(() => true), pass(3_000, false)]);
          return bytes;
        }),
      );
      await expectService();
      const grown = memory() - started;
      t.diagnostic(`${Math.round(grown / MIB)} MiB for ${Math.round(sent.reduce((a, b) => a + b) / MIB)} MiB of pings`);
      assert.ok(grown < 16 * MIB, `${Math.round(grown / MIB)} MiB`);
      // Who reads again is read again.
      const [socket] = sockets;
      const drained = socket.writableNeedDrain ? once(socket, "drain") : undefined;
      socket.resume();
      await within(Promise.resolve(drained), "the rest of its pings");
      sockets.forEach((one) => one.destroy());
    });
});
