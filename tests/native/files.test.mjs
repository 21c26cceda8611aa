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
import { at } from "../../scripts/paths.mjs";
import { upgradeRequest } from "../support/raw.mjs";
import { Service } from "../support/service.mjs";
import { sign } from "../support/token.mjs";
import { until, within } from "../support/waiting.mjs";

const FILES = 600;
/** Those that are kept free. */
const OTHERS = 256;
const HUBS = 20;

/** Starts a service that may have so few files open. */
async function limitedService(t) {
  const folder = mkdtempSync(path.join(tmpdir(), "webpubsub-files-"));
  const limited = path.join(folder, "limited");
  const program = process.env.WEBPUBSUB_SERVER ?? at("target", "server", "webpubsub-server");
  writeFileSync(limited, `#!/bin/sh\nulimit -n ${FILES}\nexec '${program}' "$@"\n`);
  chmodSync(limited, 0o700);
  const service = new Service({ runner: "server", secrets: { WEBPUBSUB_SERVER: limited } });
  t.after(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });
  return service.start();
}

/** Opens so many connections. `ended` says how many of them the service has ended. */
async function crowd(service, count, bytes = "") {
  const all = { sockets: Array.from({ length: count }, () => net.connect(service.port, "127.0.0.1")), ended: 0 };
  for (const socket of all.sockets)
    socket
      .on("error", () => {})
      .resume()
      .once("close", () => all.ended++)
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
  // One connection that stays, and asks for hubs that have no files yet.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const publish = (hub) =>
    new Promise((resolve, reject) => {
      const target = `/api/hubs/${hub.name}/:send?api-version=2024-12-01`;
      const authorization = `Bearer ${sign({ aud: `${service.endpoint}${target}` }, service.key)}`;
      const headers = { authorization, "content-type": "text/plain" };
      const asked = http.request(`${service.endpoint}${target}`, { agent, method: "POST", headers }, (answer) =>
        answer.resume().on("end", () => resolve(answer.statusCode)),
      );
      asked.on("error", reject).end("hello");
    });
  assert.equal(await publish(hubs[0]), 202);
  // Whoever wants a connection back without a proof gets a socket that is closed, and has seconds to answer that.
  const url = new URL(hubs[0].recoveryUrl("none", "no proof"));
  const bytes = upgradeRequest(service, hubs[0], {}).replace(/^GET \S+/, `GET ${url.pathname}${url.search}`);
  const all = await crowd(service, 3 * FILES, bytes);
  for (const hub of hubs) assert.equal(await publish(hub), 202);
  for (const socket of all.sockets) socket.destroy();
});
