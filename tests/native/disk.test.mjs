// The native server's disk fills up: what was acknowledged stays, what was not is refused, and it goes on when there is
// room again. So it is for devices, too.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { DeviceChaos } from "../chaos/devices.mjs";
import { expectError } from "../support/rest.mjs";
import { Service } from "../support/service.mjs";
import { until } from "../support/waiting.mjs";
import { loggedAbout, shardFile } from "./state-files.mjs";

const ROOM_BYTES = 100_000;
/** Of a small disk: room for the log of a database, which takes some megabytes. */
const DISK_BYTES = 16 << 20;
const text = { "content-type": "text/plain" };
const isLinux = process.platform === "linux";
const isRoot = process.getuid?.() === 0;

const prlimit = (service, bytes) => execFileSync("prlimit", ["--pid", String(service.pid), `--fsize=${bytes}:`]);

/**
 * Ways for a disk to be full: how it is made, filled and emptied, and what the log says.
 * @type {{ name: string, skip: string | false, make?: (service: Service) => void, fill: (service: Service, file: string) => void, empty: (service: Service) => void, remove?: (service: Service) => void, words: RegExp }[]}
 */
const ways = [
  {
    name: "files may not grow",
    skip: !isLinux && "prlimit is Linux's",
    fill: (service, file) => prlimit(service, statSync(`${file}-wal`).size + ROOM_BYTES),
    empty: (service) => prlimit(service, "unlimited"),
    words:
      /^the system does not write it \(.*\): nothing more is taken until it does\. Look at quotas, limits and the disk$/,
  },
  {
    name: "the disk is full",
    skip: !(isLinux && isRoot) && "a small disk is mounted by root",
    make: ({ state }) => execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "webpubsub-test", state]),
    fill: ({ state }) => {
      const filler = path.join(state, "filler");
      for (let bytes = DISK_BYTES; bytes >= 4096; bytes /= 2)
        try {
          writeFileSync(filler, Buffer.alloc(bytes), { flag: "a" });
        } catch (error) {
          assert.equal(/** @type {NodeJS.ErrnoException} */ (error).code, "ENOSPC");
        }
    },
    empty: ({ state }) => rmSync(path.join(state, "filler")),
    remove: ({ state }) => execFileSync("umount", ["--lazy", state]),
    words: /^the disk is full: nothing more is taken until there is room$/,
  },
];

for (const { name, skip, make, fill, empty, remove, words } of ways)
  describe(`The native server, where ${name}`, { skip }, () => {
    for (const durability of ["full", "normal"])
      test(`with ${durability}, only what was not accepted is refused`, async (t) => {
        const service = new Service({ runner: "server", options: ["--durability", durability] });
        make?.(service);
        t.after(async () => {
          await service.crash();
          remove?.(service);
          await service.stop();
        });
        await service.start();
        const hub = service.newHub();
        const reliable = await hub.connectReliable({ user: "alice" });
        await hub.send("", "first");
        const accepted = ["first"];
        assert.equal((await reliable.json()).data, "first");

        const file = shardFile(service, hub);
        fill(service, file);
        let answer;
        for (let n = 0; (answer?.status ?? 202) === 202; n++) {
          assert.ok(n < 1_000, "it takes what there is no room for");
          const message = `${n} ${"x".repeat(5_000)}`;
          answer = await hub.rest("POST", "/:send", { headers: text, body: message });
          if (answer.status === 202) accepted.push(message);
        }
        expectError(answer, 500, { code: "Error.InternalServerError", target: "Request" });
        assert.deepEqual(await reliable.closed(), { code: 1011, reason: "Internal server error" });
        await until(() => pass(10, loggedAbout(service, file).length > 0), "a line of the log");
        const [entry] = loggedAbout(service, file);
        assert.equal(entry.failed, `a shard's step of hub ${hub.name}`);
        assert.match(entry.error, words);

        empty(service);
        const after = "there is room";
        await until(
          async () => (await hub.rest("POST", "/:send", { headers: text, body: after })).status === 202,
          "a publish that is accepted",
        );
        const again = await hub.recover(reliable);
        const received = [];
        while (received.at(-1)?.data !== after) received.push(await again.json());
        assert.deepEqual(
          received.map(({ sequenceId }) => sequenceId),
          received.map((_, at) => at + 1),
          "without a gap",
        );
        // What was refused may have come as far as the disk all the same; nothing comes twice.
        const all = received.slice(0, -1).map(({ data }) => data);
        assert.deepEqual(all.slice(0, accepted.length), accepted);
        assert.equal(new Set(all).size, all.length);
        assert.ok(all.length <= accepted.length + 1, `${all.length} of ${accepted.length} accepted`);
        await (await hub.connect()).expectSilence();
      });
  });

test("MQTT's promises hold while the disk fills up", { skip: ways[1].skip }, async (t) => {
  const { make, fill, empty, remove } = ways[1];
  /** One whose disk is full in the place of a crash, until it would be started again. */
  class Filling extends Service {
    #seen = 0;
    isOver = false;
    /** @override */
    async crash() {
      if (this.isOver) return super.crash();
      fill(this, "");
      await until(() => pass(10, this.output.includes("the disk is full", this.#seen)), "a full disk");
      this.#seen = this.output.length;
    }
    /** @override */
    async start() {
      empty(this);
      return this;
    }
  }
  const service = new Filling({ runner: "server" });
  make?.(service);
  t.after(async () => {
    service.isOver = true;
    await service.crash();
    remove?.(service);
    await service.stop();
  });
  await Service.prototype.start.call(service);
  const chaos = new DeviceChaos(service, { seed: 1, messages: 400, kills: 3, cuts: 3 });
  await chaos.run();
  for (const line of chaos.figures()) t.diagnostic(line);
  assert.deepEqual(chaos.violations.slice(0, 20), []);
});
