// The native server where a process may have few files open: the connections above that are closed at once, and what it
// has to open for its hubs is kept free.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { serverProgram } from "../../scripts/service/native.mjs";
import { AT_ONCE, EventHandler } from "../support/event-handler.mjs";
import { upgradeRequest } from "../support/raw.mjs";
import { Service } from "../support/service.mjs";
import { sign } from "../support/token.mjs";
import { until, within } from "../support/waiting.mjs";

const FILES = 600;
/** Those that are kept free. */
const OTHERS = 256;
const HUBS = 20;
/** More than may have their files open at once. */
const STORED_HUBS = 300;
/** Who comes, one after the other, while they are started. */
const NEWCOMERS = 100;

/** Starts a service that may have so few files open; `limit` has it have another number at its next start. */
async function limitedService(t, options = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), "webpubsub-files-"));
  const limited = path.join(folder, "limited");
  const limit = (files) => {
    writeFileSync(limited, `#!/bin/sh\nulimit -n ${files}\nexec '${serverProgram}' "$@"\n`);
    chmodSync(limited, 0o700);
  };
  limit(FILES);
  const service = new Service({ ...options, runner: "server", secrets: { WEBPUBSUB_SERVER: limited } });
  t.after(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });
  return Object.assign(await service.start(), { limit });
}

/** Publishes to hubs over one connection that stays; the status of the answer. */
function publisher(t, service) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return (hub) =>
    new Promise((resolve, reject) => {
      const target = `/api/hubs/${hub.name}/:send?api-version=2024-12-01`;
      const authorization = `Bearer ${sign({ aud: `${service.endpoint}${target}` }, service.key)}`;
      const headers = { authorization, "content-type": "text/plain" };
      const asked = http.request(`${service.endpoint}${target}`, { agent, method: "POST", headers }, (answer) =>
        answer.resume().on("end", () => resolve(answer.statusCode)),
      );
      asked.on("error", reject).end("hello");
    });
}

/**
 * Opens so many connections. `ended` says how many of them the service has ended, `settled` how many it has answered or
 * ended.
 */
async function crowd(service, count, bytes = "") {
  const sockets = Array.from({ length: count }, () => net.connect(service.port, "127.0.0.1"));
  const all = { sockets, ended: 0, settled: 0 };
  for (const socket of all.sockets)
    socket
      .on("error", () => {})
      .once("data", () => all.settled++)
      .once("close", () => {
        all.ended++;
        if (socket.bytesRead === 0) all.settled++;
      })
      .write(bytes);
  await Promise.all(all.sockets.map((socket) => once(socket, "connect").catch(() => {})));
  return all;
}

test("connections above the limit of open files are closed", async (t) => {
  const service = await limitedService(t);
  const all = await crowd(service, 2 * FILES);
  const most = FILES - OTHERS;
  // Those that are silent are closed after a minute in any case.
  const isOver = until(() => pass(10, all.ended >= all.sockets.length - most), "their end");
  await within(isOver, "the end of those that are too many", 30_000);
  for (const socket of all.sockets) socket.destroy();
  // Each hub opens some files, and has room for its clients again.
  await until(
    () =>
      service
        .newHub()
        .connect()
        .then(
          (client) => client.cut() ?? true,
          () => false,
        ),
    "room for a client",
  );
  for (let n = 0; n < HUBS; n++) {
    const hub = service.newHub();
    const client = await hub.connectReliable();
    await hub.send("", "hello");
    assert.equal((await client.json()).data, "hello");
  }
});

test("sockets that are closed at once are connections too", async (t) => {
  const service = await limitedService(t);
  const hubs = Array.from({ length: HUBS }, () => service.newHub());
  // It asks for hubs that have no files yet.
  const publish = publisher(t, service);
  assert.equal(await publish(hubs[0]), 202);
  // Whoever wants a connection back without a proof gets a socket that is closed, and has seconds to answer that.
  const url = new URL(hubs[0].recoveryUrl("none", "no proof"));
  const bytes = upgradeRequest(service, hubs[0], {}).replace(/^GET \S+/, `GET ${url.pathname}${url.search}`);
  const all = await crowd(service, 3 * FILES, bytes);
  for (const hub of hubs) assert.equal(await publish(hub), 202);
  for (const socket of all.sockets) socket.destroy();
});

test("calls of event handlers leave hubs their files", async (t) => {
  const handler = await EventHandler.start(t);
  // Each client that asks to be let in has a call that lasts.
  handler.answer("sys.connect", () => {});
  const service = await limitedService(t, { variables: AT_ONCE });
  const hubs = Array.from({ length: HUBS }, () => service.newHub());
  const publish = publisher(t, service);
  assert.equal(await publish(hubs[0]), 202);
  const asking = service.newHub();
  await asking.configure({ eventHandlers: [{ urlTemplate: handler.url, systemEvents: ["connect"] }] });
  const all = await crowd(service, 2 * FILES, upgradeRequest(service, asking, {}));
  const isFull = until(() => pass(10, all.settled + handler.underWay >= all.sockets.length), "their calls");
  await within(isFull, "a call or an answer for each client", 30_000);
  for (const hub of hubs) assert.equal(await publish(hub), 202);
  assert.match(service.output, /"failed":"accepting a connection","error":"the process may have 600 files open/);
  for (const socket of all.sockets) socket.destroy();
});

test("hubs that are stored are started as open files allow", async (t) => {
  const service = await limitedService(t, { options: ["--durability", "normal"] });
  await service.end();
  service.limit(10 * STORED_HUBS);
  await service.start();
  const hubs = Array.from({ length: STORED_HUBS }, () => service.newHub());
  await Promise.all(hubs.map((hub) => hub.send("", "hello")));
  await service.end();
  service.limit(STORED_HUBS);
  await service.start();
  for (const hub of hubs.slice(0, 5)) await hub.send("", "hello");
  // Meanwhile whoever comes is let in.
  const bytes = `GET /api/health HTTP/1.1\r\nHost: ${new URL(service.endpoint).host}\r\nConnection: close\r\n\r\n`;
  for (let n = 0; n < NEWCOMERS; n++) {
    const newcomer = await crowd(service, 1, bytes);
    await until(() => pass(10, newcomer.settled === 1), "an answer or an end");
    assert.ok(newcomer.sockets[0].bytesRead > 0, `newcomer ${n}`);
  }
  assert.ok(!service.output.includes(`"failed"`), service.output.split("\n", 3).join("\n"));
});
