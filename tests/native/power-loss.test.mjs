// A loss of power for the native server, as far as a program can make one: what its disk has at one moment, without
// anything that the system has not written to it yet, is all that is there when it is started again.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { which } from "../../scripts/processes.mjs";
import { Service } from "../support/service.mjs";

const DISK_BYTES = 64 << 20;
const LOSSES = 3;
const PUBLISHES = 50;
const possible =
  process.getuid?.() === 0 &&
  existsSync("/dev/loop-control") &&
  which("mkfs.ext4") &&
  which("losetup") &&
  which("mount");

/** A disk in a file, which is mounted where the service has its state. */
class Disk {
  #file;
  #mountedAt;

  constructor(folder) {
    this.#file = path.join(folder, "disk");
    writeFileSync(this.#file, "");
    truncateSync(this.#file, DISK_BYTES);
    execFileSync("mkfs.ext4", ["-q", "-F", this.#file]);
  }

  mount(at) {
    execFileSync("mount", ["-o", "loop", this.#file, at]);
    this.#mountedAt = at;
  }

  unmount() {
    if (this.#mountedAt) execFileSync("umount", [this.#mountedAt]);
    this.#mountedAt = undefined;
  }

  /** What it has now, beside it. */
  keep() {
    execFileSync("cp", ["--sparse=always", this.#file, `${this.#file}-kept`]);
  }

  /** Has what was kept, and nothing that was written since. */
  lose() {
    this.unmount();
    execFileSync("mv", [`${this.#file}-kept`, this.#file]);
  }
}

describe("The machine loses power", { skip: !possible && "a disk in a file is mounted by root" }, () => {
  /** Publishes, takes the power away after the last acknowledgement, and returns what a client that is back receives. */
  async function lose(t, durability) {
    const folder = mkdtempSync(path.join(tmpdir(), "webpubsub-disk-"));
    const disk = new Disk(folder);
    const service = new Service({ runner: "server", options: ["--durability", durability] });
    t.after(async () => {
      await service.crash();
      disk.unmount();
      await service.stop();
      rmSync(folder, { recursive: true });
    });
    disk.mount(service.state);
    await service.start();
    const hub = service.newHub();
    /** @type {[acknowledged: string[], received: string[]]} */
    const [acknowledged, received] = [[], []];
    let reliable = await hub.connectReliable({ user: "alice" });
    for (let loss = 0; loss < LOSSES; loss++) {
      for (let n = 0; n < PUBLISHES; n++) {
        const message = `${loss}-${n} ${"x".repeat(n * 20)}`;
        await hub.send("", message);
        acknowledged.push(message);
      }
      process.kill(service.pid, "SIGSTOP");
      disk.keep();
      await service.crash();
      disk.lose();
      disk.mount(service.state);
      await service.start();
      reliable = await hub.recover(reliable);
      try {
        for (received.length = 0; received.length < acknowledged.length; ) {
          const { data, sequenceId } = await reliable.json();
          received.push(data);
          assert.equal(sequenceId, received.length);
        }
      } catch {
        return { acknowledged, received, closed: await reliable.closed() };
      }
    }
    return { acknowledged, received };
  }

  test("with full, nothing acknowledged is lost", async (t) => {
    const { acknowledged, received } = await lose(t, "full");
    assert.deepEqual(received, acknowledged);
  });

  test("with normal, the last moments are, and the rest is whole", async (t) => {
    const { acknowledged, received, closed } = await lose(t, "normal");
    assert.ok(received.length < acknowledged.length, "this test would find what is lost");
    assert.deepEqual(received, acknowledged.slice(0, received.length));
    assert.equal(closed?.code, 1008);
  });
});
