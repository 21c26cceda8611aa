// A deployment of the package by the real wrangler, to an API that is a stand-in for Cloudflare's.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { at } from "../../../scripts/paths.mjs";
import { Cloudflare } from "../../support/cloudflare.mjs";
import { Installed } from "./installed.mjs";

const URL = "https://webpubsub-edge.me.workers.dev";
const STRONG = "a-strong-key-of-48-characters-for-a-deployment-__";

const built = Installed.built();
let api;
before(async () => (api = await Cloudflare.start()));
after(() => {
  api.close();
  built.remove();
});

/** A folder whose project has wrangler, as the repository has it. */
function project(name) {
  const folder = built.newFolder(name);
  mkdirSync(path.join(folder, "node_modules"));
  symlinkSync(at("node_modules", "wrangler"), path.join(folder, "node_modules", "wrangler"));
  return folder;
}
const type = (cwd, args, env = {}) => built.type(args, { cwd, env: { ...api.env, ...env } });
const keyOf = ({ bindings }) =>
  bindings.find(({ type, name }) => type === "secret_text" && name === "WEBPUBSUB_ACCESS_KEY")?.text;

test("a dry run prints what would be deployed, without Rust", async () => {
  const cwd = project("dry");
  writeFileSync(path.join(cwd, "settings.json"), '{ "hubs": { "chat": { "shards": 2 } } }');
  const args = ["deploy", "--dry-run", "--shards", "4", "--settings", "settings.json", "--var", "MAP_TTL_MS=1"];
  const { status, stdout, stderr } = await type(cwd, args);
  assert.equal(status, 0, stderr);
  for (const line of [
    /^env\.HUB_SHARD \(HubShard\) +Durable Object$/m,
    /^env\.SHARDS \("4"\) +Environment Variable$/m,
    /^env\.MAP_TTL_MS \("1"\) +Environment Variable$/m,
    /^ {2}v2: new_sqlite_classes HubDirectory$/m,
    /^ {2}\d+ files of .*, as env\.ASSETS$/m,
  ])
    assert.match(stdout, line);
  assert.deepEqual(api.uploads, []);
});

test("the first deployment makes and prints an access key", async () => {
  [api.uploads, api.secrets] = [[], []];
  const cwd = project("first");
  const { status, stdout, stderr } = await type(cwd, ["deploy"]);
  assert.equal(status, 0, stderr + stdout);
  const key = keyOf(api.uploads[0]);
  assert.match(key, /^[\w-]{64}$/);
  assert.match(stdout, new RegExp(`Connection string {2}Endpoint=${URL};AccessKey=${key};Version=1\\.0;\n`));
  assert.equal(statSync(path.join(cwd, ".webpubsub-edge", "deployment")).mode & 0o777, 0o600);
  const printed = await type(cwd, ["connection-string", "--deployed"]);
  assert.deepEqual([printed.status, printed.stdout], [0, `Endpoint=${URL};AccessKey=${key};Version=1.0;\n`]);

  const again = await type(cwd, ["deploy"]);
  assert.equal(again.status, 0, again.stderr);
  assert.equal(keyOf(api.uploads[1]), undefined);
  assert.ok(again.stdout.includes(`AccessKey=${key};`));
});

test("the environment's key is the service's, unless it is weak", async () => {
  [api.uploads, api.secrets] = [[], []];
  const cwd = project("given");
  const weak = await type(cwd, ["deploy"], { WEBPUBSUB_ACCESS_KEY: "short" });
  assert.equal(weak.status, 1);
  assert.match(weak.stderr, /^WEBPUBSUB_ACCESS_KEY has fewer than 32 bytes /);
  assert.deepEqual(api.uploads, []);
  const { status, stderr } = await type(cwd, ["deploy"], { WEBPUBSUB_ACCESS_KEY: STRONG });
  assert.equal(status, 0, stderr);
  assert.equal(keyOf(api.uploads[0]), STRONG);
});

test("a deployment with a wrong variable does not begin", async () => {
  const { status, stderr } = await type(project("wrong"), ["deploy", "--var", "NOPE=1"]);
  assert.deepEqual([status, stderr.startsWith("There is no variable NOPE.")], [2, true]);
});

test("the template deploys the package's worker by wrangler alone", async () => {
  const cwd = project("template");
  symlinkSync(built.package, path.join(cwd, "node_modules", "webpubsub-edge"));
  for (const name of ["package.json", "wrangler.jsonc"])
    writeFileSync(path.join(cwd, name), readFileSync(at("packages", "template", name)));
  const script = path.join(cwd, "node_modules", "wrangler", "bin", "wrangler.js");
  const { status, output } = await built.node([script, "deploy", "--dry-run"], { cwd, env: api.env });
  assert.equal(status, 0, output);
  assert.match(output, /env\.HUB_SHARD \(HubShard\) +Durable Object/);
  assert.match(output, /env\.ASSETS +Assets/);
  const { config } = JSON.parse(readFileSync(at("packages", "webpubsub-edge", "package.json"), "utf8"));
  const manifest = JSON.parse(readFileSync(path.join(cwd, "package.json"), "utf8"));
  assert.equal(manifest.devDependencies.wrangler, config.wrangler);
});

test("without npm a deployment says what it needs", async () => {
  const { status, stderr } = await type(built.newFolder("bare"), ["deploy", "--dry-run"], { PATH: "" });
  assert.equal(status, 1);
  assert.match(stderr, /^npx is not in PATH: it comes with npm\./m);
});
