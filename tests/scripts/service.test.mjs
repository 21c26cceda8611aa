// How the built worker is passed to wrangler and to plain workerd.
import assert from "node:assert/strict";
import { isAbsolute } from "node:path";
import { test } from "node:test";
import { assetPath, assetsWorker, contentType } from "../../scripts/service/assets.mjs";
import { capnp } from "../../scripts/service/capnp.mjs";
import { workerConfig } from "../../scripts/service/worker-config.mjs";
import { devVars, localConfig } from "../../scripts/service/wrangler.mjs";
import { matched } from "../support/found.mjs";

const config = {
  name: "service",
  main: "build/worker/index.js",
  rules: [],
  compatibility_date: "2026-01-01",
  compatibility_flags: ["a_flag"],
  durable_objects: { bindings: [{ name: "SHARD", class_name: "Shard" }] },
  migrations: [],
  assets: { directory: "build/www", binding: "ASSETS" },
  vars: { SHARDS: "1", LIMIT: 5 },
};

function text(variables = {}) {
  return capnp({
    config,
    modules: ["a.wasm", "index.js"],
    assets: ["index.html"],
    variables,
    storage: '/a "b"/\u0001',
    address: "127.0.0.1:80",
  });
}

test("workerd gets the entry module first", () => {
  assert.match(
    text(),
    /modules = \[\s*\(name = "index\.js", esModule = embed "worker\/index\.js"\),\s*\(name = "a\.wasm", wasm = embed/,
  );
});

test("workerd gets each Durable Object class, kept on disk", () => {
  assert.match(text(), /\(className = "Shard", uniqueKey = "service-Shard", enableSql = true\)/);
  assert.match(text(), /\(name = "SHARD", durableObjectNamespace = "Shard"\)/);
});

test("values stay out of workerd's configuration; a run's win", () => {
  const written = text({ SHARDS: "4", KEY: "secret" });
  assert.doesNotMatch(written, /secret|"4"/);
  assert.match(written, /\(name = "SHARDS", fromEnvironment = "SHARDS"\)/);
  assert.equal(written.match(/name = "SHARDS"/g)?.length, 1);
  assert.match(written, /\(name = "LIMIT", text = "5"\)/);
});

test("private addresses can be called only where that is asked for", () => {
  const allowed = (variables) => matched(/network = \(allow = (\[[^\]]*\])/, text(variables))[1].replace(/\s/g, "");
  assert.equal(allowed({}), '["public",]');
  assert.equal(allowed({ ALLOW_PRIVATE_EVENT_HANDLERS: "false" }), '["public",]');
  assert.equal(allowed({ ALLOW_PRIVATE_EVENT_HANDLERS: "true" }), '["public","private",]');
});

test("workerd gets the flags that wrangler gets", () => {
  assert.match(text(), /compatibilityFlags = \[\s*"a_flag",\s*\]/);
});

test("WebSockets are compressed only where that is asked for", async () => {
  const flags = async (webSocketCompression) => (await workerConfig({ webSocketCompression })).compatibility_flags;
  assert.ok((await flags(false)).includes("no_web_socket_compression"));
  assert.ok(!(await flags(true)).includes("no_web_socket_compression"));
});

test("paths are written as Cap'n Proto reads them", () => {
  assert.ok(text().includes('path = "/a \\"b\\"/\\x01"'));
});

test("wrangler gets this run's entry, absolute paths and variables", () => {
  const local = localConfig(config, { main: "/state/entry.js", variables: { SHARDS: "2" } });
  assert.equal(local.main, "/state/entry.js");
  assert.ok(isAbsolute(local.assets.directory));
  assert.deepEqual(local.vars, { SHARDS: "2", LIMIT: 5 });
});

test("keys are quoted so that they arrive as they are", () => {
  assert.equal(devVars({ A: "x$y#z" }), "A='x$y#z'\n");
  assert.equal(devVars({ A: "it's" }), `A="it's"\n`);
  assert.throws(() => devVars({ A: "two\nlines" }), /A has characters/);
});

test("pages need no file name, and files have their type", () => {
  assert.equal(assetPath("index.html"), "/");
  assert.equal(assetPath("docs/index.html"), "/docs/");
  assert.equal(assetPath("docs/page.html"), "/docs/page");
  assert.equal(assetPath("client/index.js"), "/client/index.js");
  assert.equal(contentType("a/b.HTML"), "text/html; charset=utf-8");
  assert.equal(contentType("core.wasm"), "application/wasm");
  assert.equal(contentType("LICENSE"), "application/octet-stream");
});

test("the worker that serves files answers as the platform does", async () => {
  const source = assetsWorker(["index.html", "a.js"]).replace(
    /^import (file\d+) from .*$/gm,
    'const $1 = new TextEncoder().encode("$1").buffer;',
  );
  const { default: worker } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  const ask = (path, init) => worker.fetch(new Request(`http://h${path}`, init));

  const page = await ask("/");
  assert.equal(page.status, 200);
  assert.equal(page.headers.get("Content-Type"), "text/html; charset=utf-8");
  assert.equal(await page.text(), "file0");
  assert.equal((await ask("/", { headers: { "If-None-Match": page.headers.get("ETag") } })).status, 304);
  assert.equal(await (await ask("/a.js", { method: "HEAD" })).text(), "");
  assert.equal((await ask("/index.html?x")).headers.get("Location"), "/?x");
  assert.equal((await ask("/nowhere")).status, 404);
  assert.equal((await ask("/%zz")).status, 404);
  assert.equal((await ask("/a.js", { method: "POST" })).status, 405);
});
