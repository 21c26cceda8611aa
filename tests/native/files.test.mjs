// The native server where a process may have few files open: the connections above that are closed at once, and what it
// has to open for its hubs is kept free.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { at } from "../../scripts/paths.mjs";
import { Service } from "../support/service.mjs";
import { until, within } from "../support/waiting.mjs";

const FILES = 400;
/** Those that are kept free. */
const OTHERS = 256;
const HUBS = 20;

test("connections above the limit of open files are closed", async (t) => {
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
  await service.start();
  const sockets = Array.from({ length: 2 * FILES }, () => net.connect(service.port, "127.0.0.1").on("error", () => {}));
  let closed = 0;
  for (const socket of sockets) socket.resume().once("close", () => closed++);
  await Promise.all(sockets.map((socket) => once(socket, "connect").catch(() => {})));
  const most = FILES - OTHERS;
  // Those that are silent are closed after a minute in any case.
  const isOver = until(() => pass(10, closed >= sockets.length - most), "their end");
  await within(isOver, "the end of those that are too many", 30_000);
  for (const socket of sockets) socket.destroy();
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
