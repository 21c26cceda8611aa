// The first run on a machine without Rust: from the packed package to a message that arrives.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { runtimes } from "../../../scripts/setup/runtimes.mjs";
import { at } from "../../../scripts/paths.mjs";
import { matched } from "../../support/found.mjs";
import { Installed } from "./installed.mjs";

const nodes = runtimes.filter(({ kind, version }) => kind === "node" && !version.startsWith("20."));
const all = [{ name: `node ${process.versions.node}`, program: process.execPath }, ...nodes];

/** A project's own test: it starts the emulator, and prints what comes back from a group. */
const PROGRAM = `
import { startEmulator } from "webpubsub-edge";
const emulator = await startEmulator({ hubs: { h: { shards: 2 } }, variables: { RECOVERY_WINDOW_SECONDS: 5 } });
const url = emulator.clientUrl({ hub: "h", user: "me", roles: ["webpubsub.sendToGroup"], groups: ["g"] });
const socket = new WebSocket(url, "json.webpubsub.azure.v1");
const next = () => new Promise((resolve) => socket.addEventListener("message", ({ data }) => resolve(JSON.parse(data)), { once: true }));
const { event } = await next();
socket.send(JSON.stringify({ type: "sendToGroup", group: "g", dataType: "text", data: "hi" }));
const { data } = await next();
console.log(JSON.stringify([event, data, emulator.connectionString === "Endpoint=" + emulator.endpoint + ";AccessKey=" + emulator.accessKey + ";Version=1.0;"]));
socket.close();
await emulator.stop();
`;

for (const { name, program } of all) {
  test(`without Rust a message arrives, on ${name}`, async (t) => {
    const installed = await Installed.install(program);
    t.after(() => installed.remove());
    for (const tool of ["cargo", "rustc"])
      assert.ok(spawnSync(tool, { env: { PATH: installed.env.PATH } }).error, `${tool} is in PATH`);

    const began = Date.now();
    const folder = installed.newFolder("work");
    const dev = await installed.stay(["dev", "--json", "--port", 0, "--https-port", 0], /^listening on http:.*\n/m, {
      cwd: folder,
    });
    const startMs = Date.now() - began;
    t.diagnostic(`installed in ${installed.tookMs} ms, listening after ${startMs} ms`);
    const { endpoint, secure, authority, connectionString } = JSON.parse(matched(/^\{.*\}$/m, dev.stdout)[0]);
    assert.ok(existsSync(authority) && secure.startsWith("https://"));
    assert.match(await (await fetch(`${endpoint}/`)).text(), /<html/);

    const printed = await installed.type(["connection-string"], { cwd: folder });
    assert.deepEqual([printed.status, printed.stdout], [0, `${connectionString}\n`]);
    const url = (await installed.type(["client-url", "--hub", "h", "--user", "me"], { cwd: folder })).stdout.trim();
    const { WebPubSubClient } = await import(at("build", "client", "dist", "node.js"));
    const client = new WebPubSubClient(url);
    const message = new Promise((resolve) => client.on("server-message", (event) => resolve(event.message.data)));
    await client.start();
    const http = (await installed.type(["connection-string", "--http"], { cwd: folder })).stdout.trim();
    await new WebPubSubServiceClient(http, "h", { allowInsecureConnection: true }).sendToUser("me", "Hello World", {
      contentType: "text/plain",
    });
    assert.equal(await message, "Hello World");
    client.stop();

    assert.equal(await dev.end(), 0);
    assert.deepEqual(readdirSync(folder), [".webpubsub-edge"]);
    const home = path.join(folder, ".webpubsub-edge");
    assert.equal(statSync(path.join(home, "keys")).mode & 0o777, 0o600);
    assert.equal(readFileSync(path.join(home, ".gitignore"), "utf8"), "*\n");
  });
}

test("a program's own tests start the emulator and end it", async (t) => {
  const installed = await Installed.install();
  t.after(() => installed.remove());
  const { status, stdout, stderr } = await installed.node(["--input-type=module", "--eval", PROGRAM]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, '["connected","hi",true]\n');
  await assert.rejects(
    Promise.resolve(installed.node(["--input-type=module", "--eval", WRONG])).then(({ status, stderr }) => {
      if (status !== 0) throw new Error(stderr);
    }),
    /The emulator ended with exit code 2 before it was ready\.\nThere is no variable NOPE\./,
  );
});

/** A program that starts it wrongly. */
const WRONG = `
import { startEmulator } from "webpubsub-edge";
await startEmulator({ variables: { NOPE: 1 } });
`;
