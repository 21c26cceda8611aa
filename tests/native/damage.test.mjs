// A database of the native server's that is damaged: the file is named and left as it is, everything else is served, and
// nothing is sent that was not published.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { request } from "../support/rest.mjs";
import { Random } from "../support/random.mjs";
import { Service } from "../support/service.mjs";
import { Refused } from "../support/socket.mjs";
import { until } from "../support/waiting.mjs";
import { directoryFile, loggedAbout, shardFile } from "./state-files.mjs";

const MESSAGES = 40;
const FLIPS = 15;
const text = { "content-type": "text/plain" };

/** Files that SQLite has beside a database. */
const besides = (file) => [`${file}-wal`, `${file}-shm`, `${file}-journal`];

describe("A damaged database", () => {
  const service = new Service({ runner: "server" });
  let hub, other, away, file, whole;
  const published = Array.from({ length: MESSAGES }, (_, n) => `${n} ${"m".repeat(400)}`);

  before(async () => {
    await service.start();
    [hub, other] = [service.newHub(), service.newHub()];
    await hub.configure({ anonymousConnectPolicy: "allow" });
    away = await hub.connectReliable({ user: "alice" });
    await other.connect();
    for (const message of published) await hub.send("", message);
    file = shardFile(service, hub);
    // Everything comes into one file.
    await service.end();
    await service.start();
    await hub.exists("/groups/none");
    await service.end();
    whole = readFileSync(file);
    assert.ok(whole.length > 4_096 * 5, `it has ${whole.length} bytes`);
  });
  after(() => service.stop());

  const damage = (bytes) => {
    for (const beside of besides(file)) rmSync(beside, { force: true });
    writeFileSync(file, bytes);
  };

  /** The status of a publish to the hub. */
  const publish = async () => (await hub.rest("POST", "/:send", { headers: text, body: "more" })).status;

  /** @type {[name: string, damaged: (whole: Buffer) => Buffer][]} */
  const damages = [
    ["that is no database", (whole) => Buffer.concat([Buffer.from("not a database at all"), whole.subarray(21)])],
    ["that is cut off", (whole) => whole.subarray(0, whole.length >> 1)],
    ["whose pages are zeros", (whole) => Buffer.concat([whole.subarray(0, 4_096), Buffer.alloc(whole.length - 4_096)])],
  ];
  for (const [name, damaged] of damages)
    test(`a file ${name} is named and left as it is`, async () => {
      const bytes = damaged(whole);
      damage(bytes);
      await service.start();
      assert.equal(await publish(), 500);
      await assert.rejects(hub.connect(), (error) => error instanceof Refused && error.status >= 500);
      await assert.rejects(hub.recover(away));
      await until(() => pass(10, loggedAbout(service, file).length > 0), "a line of the log");
      const [entry] = loggedAbout(service, file);
      assert.match(
        entry.error,
        /^the file is damaged and is left as it is \(.+\): restore it from a backup, or remove it/,
      );
      await (await other.connect()).expectSilence();
      assert.equal((await request(service.endpoint, "HEAD", "/api/health")).status, 200);
      await service.crash();
      assert.ok(readFileSync(file).equals(bytes), "it is as it was");
    });

  test("a file that is put in place of it is taken without a restart", async () => {
    damage(damages[0][1](whole));
    await service.start();
    assert.equal(await publish(), 500);
    damage(whole);
    await until(async () => (await publish()) === 202, "a publish that is accepted");
    await service.crash();
  });

  test("a damaged directory of a hub is named, other hubs served", async () => {
    const damaged = directoryFile(service, hub);
    const kept = [damaged, ...besides(damaged)].filter(existsSync).map((file) => ({ file, bytes: readFileSync(file) }));
    for (const beside of besides(damaged)) rmSync(beside, { force: true });
    damage(whole);
    writeFileSync(damaged, "not a database at all, ".repeat(200));
    await service.start();
    assert.equal(await publish(), 500);
    await (await other.connect()).expectSilence();
    await until(() => pass(10, loggedAbout(service, damaged).length > 0), "a line of the log");
    assert.match(loggedAbout(service, damaged)[0].error, /^the file is damaged and is left as it is/);
    await service.crash();
    for (const { file, bytes } of kept) writeFileSync(file, bytes);
  });

  test("bits that are flipped break no other hub, and nothing else", async (t) => {
    const seen = new Map();
    for (let seed = 1; seed <= FLIPS; seed++) {
      const [random, bytes] = [new Random(seed), Buffer.from(whole)];
      for (let flips = 1 + random.below(8); flips > 0; flips--)
        bytes[random.below(bytes.length)] ^= 1 << random.below(8);
      damage(bytes);
      await service.start();
      const received = [];
      const outcome = await hub.recover(away).then(
        async (socket) => {
          try {
            while (received.length < MESSAGES) received.push((await socket.json()).data);
            return "recovered";
          } catch {
            return `closed with ${(await socket.closed()).code}`;
          } finally {
            socket.cut();
          }
        },
        (error) => (error instanceof Refused ? `refused with ${error.status}` : error.message),
      );
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      // A flipped bit in a text is a text all the same; more of them there cannot be.
      for (const data of received) assert.equal(data.length > 300, true, `seed ${seed}: it received ${data}`);
      assert.ok([202, 500].includes(await publish()), `seed ${seed}`);
      await (await other.connect()).expectSilence();
      await service.crash();
    }
    for (const [outcome, count] of seen) t.diagnostic(`${outcome}: ${count} times`);
  });
});
