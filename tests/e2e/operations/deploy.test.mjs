// A deployment by the real wrangler, to an API that is a stand-in for Cloudflare's.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { Cloudflare } from "../../support/cloudflare.mjs";
import { ended, start } from "../../support/processes.mjs";
import { root } from "../../support/service.mjs";
import { claimsOf } from "../../support/token.mjs";
import { within } from "../../support/waiting.mjs";

const URL = "https://webpubsub-edge.me.workers.dev";
const STRONG = "a-strong-key-of-48-characters-for-a-deployment-__";
const LIMIT_MS = 300_000;

describe("npm run deploy", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "deploy-"));
  const vars = path.join(folder, "deploy.vars");
  let api;
  before(async () => (api = await Cloudflare.start()));
  beforeEach(() => {
    rmSync(vars, { force: true });
    api.uploads = [];
    api.secrets = [];
  });
  after(() => {
    api.close();
    rmSync(folder, { recursive: true });
  });

  async function type(script, args, env = {}) {
    let [stdout, stderr] = ["", ""];
    const { WEBPUBSUB_ACCESS_KEY: _, WEBPUBSUB_ACCESS_KEY_SECONDARY: __, ...others } = process.env;
    const child = start(process.execPath, [path.join(root, "scripts", `${script}.mjs`), ...args], {
      cwd: root,
      env: { ...others, ...api.env, WEBPUBSUB_DEPLOY_VARS: vars, ...env },
    });
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    return { status: await within(ended(child), `the end of ${script}`, LIMIT_MS), stdout, stderr };
  }

  const keyOf = ({ bindings }) =>
    bindings.find(({ type, name }) => type === "secret_text" && name === "WEBPUBSUB_ACCESS_KEY")?.text;

  test("the first deployment sets a random key for its client URLs", async () => {
    const { status, stdout, stderr } = await type("deploy", ["--set-key"]);
    assert.equal(status, 0, stderr);
    const key = keyOf(api.uploads[0]);
    assert.match(key, /^[\w-]{64}$/);
    assert.ok(!stdout.includes(key) && !stderr.includes(key));
    assert.equal(statSync(vars).mode & 0o777, 0o600);
    assert.match(stdout, /The service is deployed at https:\/\/webpubsub-edge\.me\.workers\.dev\./);
    assert.match(stdout, /npm run -s connection-string -- --deployed/);

    assert.deepEqual(await type("connection-string", ["--deployed"]), {
      status: 0,
      stdout: `Endpoint=${URL};AccessKey=${key};Version=1.0;\n`,
      stderr: "",
    });
    const url = (await type("client-url", ["--deployed", "--hub", "h"])).stdout;
    assert.match(url, /^wss:\/\/webpubsub-edge\.me\.workers\.dev\/client\/hubs\/h\?access_token=/);
    assert.equal(
      claimsOf((await type("token", ["--deployed", "--path", "/management/hubs"])).stdout.trim()).aud,
      `${URL}/management/hubs`,
    );

    const again = await type("deploy", []);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(keyOf(api.uploads[1]), undefined);
    assert.ok(api.uploads[1].keep_bindings.includes("secret_text"));
    assert.equal(
      (await type("connection-string", ["--deployed"])).stdout,
      `Endpoint=${URL};AccessKey=${key};Version=1.0;\n`,
    );
  });

  test("the environment's key is set where that is asked for", async () => {
    const { status, stderr } = await type("deploy", ["--set-key"], { WEBPUBSUB_ACCESS_KEY: STRONG });
    assert.equal(status, 0, stderr);
    assert.equal(keyOf(api.uploads[0]), STRONG);
  });

  test("without a key nothing is deployed, and it is said what to do", async () => {
    const { status, stderr } = await type("deploy", []);
    assert.equal(status, 1);
    assert.match(stderr, /^The secret WEBPUBSUB_ACCESS_KEY is not set: .*\n {2}npm run deploy -- --set-key\n$/);
    assert.deepEqual(api.uploads, []);
  });

  for (const [
    where,
    args,
    env,
    stored,
  ] of /** @type {[where: string, args: string[], env: Record<string, string>, stored?: string][]} */ ([
    ["in the environment", ["--set-key"], { WEBPUBSUB_ACCESS_KEY: "x".repeat(31) }],
    ["in the environment, in a dry run", ["--dry-run"], { WEBPUBSUB_ACCESS_KEY: "x".repeat(31) }],
    ["that is the second one", [], { WEBPUBSUB_ACCESS_KEY_SECONDARY: "short" }],
    ["in the file", ["--set-key"], {}, "WEBPUBSUB_ACCESS_KEY=short\n"],
  ])) {
    test(`a weak key ${where} is refused`, async () => {
      if (stored) writeFileSync(vars, stored);
      const { status, stderr } = await type("deploy", args, env);
      assert.equal(status, 1);
      assert.match(stderr, /^WEBPUBSUB_ACCESS_KEY\w* has fewer than 32 bytes .*\n$/);
      assert.deepEqual(api.uploads, []);
    });
  }

  test("a key of 32 bytes is not weak", async () => {
    const { status, stderr } = await type("deploy", ["--dry-run"], { WEBPUBSUB_ACCESS_KEY: "x".repeat(32) });
    assert.equal(status, 0, stderr);
  });

  test("a dry run prints what would be deployed, and deploys nothing", async () => {
    const { status, stdout, stderr } = await type("deploy", ["--dry-run"]);
    assert.equal(status, 0, stderr);
    for (const line of [
      /^env\.HUB_SHARD \(HubShard\) +Durable Object$/m,
      /^env\.SHARDS \("1"\) +Environment Variable$/m,
      /^ {2}v2: new_sqlite_classes HubDirectory$/m,
      /^ {2}\d+ files of build\/www, as env\.ASSETS$/m,
    ]) {
      assert.match(stdout, line);
    }
    assert.deepEqual(api.uploads, []);
  });

  test("URL and key of a service deployed elsewhere can be given", async () => {
    const { status, stderr } = await type("connection-string", ["--deployed"]);
    assert.equal(status, 1);
    assert.match(stderr, /--endpoint URL/);
    const { stdout } = await type("connection-string", ["--deployed", "--endpoint", "https://own.example"], {
      WEBPUBSUB_ACCESS_KEY: STRONG,
    });
    assert.equal(stdout, `Endpoint=https://own.example;AccessKey=${STRONG};Version=1.0;\n`);
  });

  test("git does not see the file that keeps the key", () => {
    assert.match(readFileSync(path.join(root, ".gitignore"), "utf8"), /^\/\.deploy\.vars$/m);
  });
});
