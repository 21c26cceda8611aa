// `dev` opens the page of the service in the browser of who types it, and only there.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { hasBrowser } from "../../../packages/webpubsub-edge/src/browser.mjs";
import { matched } from "../../support/found.mjs";
import { until } from "../../support/waiting.mjs";
import { Installed } from "./installed.mjs";

const built = Installed.built();
after(() => built.remove());

const opened = path.join(built.folder, "opened");
writeFileSync(path.join(built.folder, "bin", "xdg-open"), `#!/bin/sh\necho "$1" > "${opened}"\n`, { mode: 0o755 });

const isLinux = process.platform === "linux";

test("dev --open opens the page, signed in", { skip: !isLinux && "it has xdg-open" }, async () => {
  const dev = await built.stay(["dev", "--open", "--port", 0, "--https-port", 0], /^listening on http:.*\n/m);
  await until(async () => (await pass(50), existsSync(opened) && readFileSync(opened, "utf8") !== ""), "the page");
  const [, https, endpoint] = matched(/^ {2}Endpoint +https:\/\/localhost:(\d+)\n +(http:\S+)$/m, dev.output);
  const [page, ticket, port] = readFileSync(opened, "utf8")
    .trim()
    .split(/#ticket=|&https=/);
  assert.deepEqual([page, port], [`${endpoint}/`, https]);
  const signIn = { method: "POST", headers: { "X-Portal": "1" }, body: JSON.stringify({ ticket }) };
  assert.equal((await fetch(`${endpoint}/management/session`, signIn)).status, 204);
  await dev.end();
});

test("a page is opened before a screen, and not for programs", () => {
  const at = (env, { platform = "linux", isTerminal = true } = {}) => hasBrowser({ isTerminal, env, platform });
  assert.deepEqual([at({ DISPLAY: ":0" }), at({ WAYLAND_DISPLAY: "wayland-0" }), at({})], [true, true, false]);
  assert.deepEqual([at({}, { platform: "darwin" }), at({}, { platform: "win32" })], [true, true]);
  assert.equal(at({ DISPLAY: ":0" }, { isTerminal: false }), false);
  for (const name of ["CI", "SSH_CONNECTION"]) assert.equal(at({ DISPLAY: ":0", [name]: "1" }), false, name);
});
