// A loss of power: what of the native server's is on the disk, and not only with the system, when it is acknowledged.
//
// strace shows every write to SQLite's log, every fdatasync, and every write to a socket, in their order.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { ended, start } from "../support/processes.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { Service } from "../support/service.mjs";
import { until } from "../support/waiting.mjs";
import { which } from "../../scripts/processes.mjs";

const PUBLISHES = 40;
const CALLS = "pwrite64,write,writev,sendto,sendmsg,fdatasync,fsync,ftruncate";

/** What an acknowledgement looks like in a socket: of a client's publish, or of a server's. */
const ACKNOWLEDGED = /"success\\":true|"success":true|HTTP\/1\.1 202/;

/**
 * How many acknowledgements left while something in a database's log was not synced, and how many when all was.
 * A call counts from its beginning where it writes, and from its end where it syncs.
 */
function acknowledgements(trace) {
  const [unsynced, unfinished] = [new Set(), new Map()];
  const counts = { early: 0, late: 0, syncs: 0 };
  for (const line of trace.split("\n")) {
    const [, thread, rest] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (rest === undefined) continue;
    const [, resumed] = /^<\.\.\. (\w+) resumed>/.exec(rest) ?? [];
    const [, called, file] = /^(\w+)\(\d+<([^>]*)>/.exec(rest) ?? [];
    const call = resumed ?? called;
    if (call === "fdatasync" || call === "fsync") {
      if (rest.endsWith("<unfinished ...>")) unfinished.set(thread, file);
      else if (rest.includes("= 0")) {
        counts.syncs++;
        unsynced.delete(resumed ? unfinished.get(thread) : file);
      }
    } else if (call === "pwrite64" && file?.endsWith("-wal")) unsynced.add(file);
    else if (file?.startsWith("socket:") || file?.startsWith("TCP")) {
      if (ACKNOWLEDGED.test(rest)) counts[unsynced.size > 0 ? "early" : "late"]++;
    }
  }
  return counts;
}

describe("A loss of power", { skip: !which("strace") && "strace is not installed" }, () => {
  /** Publishes over REST and by a client to a reliable one, and returns what strace has seen. */
  async function traced(t, durability) {
    const options = ["--durability", durability, "--threads", 2];
    const service = await new Service({ runner: "server", options }).start();
    t.after(() => service.stop());
    const hub = service.newHub();
    const [reliable, plain] = [
      await hub.connectReliable({ groups: ["room"], roles: ALL_ROLES }),
      await hub.connect({ roles: ALL_ROLES }),
    ];
    const file = path.join(service.state, "trace");
    let output = "";
    const args = ["-f", "-y", "-s", "400", "-e", `trace=${CALLS}`, "-o", file, "-p", String(service.pid)];
    const strace = start("strace", args, { onOutput: (text) => (output += text) });
    const gone = ended(strace);
    await until(() => pass(10, /attached/.test(output) || strace.exitCode !== null), "strace");
    if (strace.exitCode !== null) return { skipped: output };
    for (let n = 1; n <= PUBLISHES; n++) {
      const message = { type: "sendToGroup", group: "room", dataType: "text", data: `${n}`, ackId: n };
      assert.equal((await plain.ask(message)).success, true);
      await hub.send("/groups/room", `${n}`);
      await reliable.json();
      await reliable.json();
    }
    strace.kill("SIGINT");
    await gone;
    return acknowledgements(readFileSync(file, "utf8"));
  }

  test("with full, what is acknowledged was synced before", async (t) => {
    const counts = await traced(t, "full");
    if ("skipped" in counts) return t.skip(counts.skipped);
    t.diagnostic(JSON.stringify(counts));
    assert.deepEqual([counts.early, counts.late], [0, 2 * PUBLISHES]);
    assert.ok(counts.syncs >= PUBLISHES, `${counts.syncs} syncs`);
  });

  test("with normal, it is with the system, and not synced", async (t) => {
    const counts = await traced(t, "normal");
    if ("skipped" in counts) return t.skip(counts.skipped);
    t.diagnostic(JSON.stringify(counts));
    assert.deepEqual([counts.early, counts.late], [2 * PUBLISHES, 0]);
  });
});
