// The commands beside a service: what people would otherwise do with curl and tokens of their own.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { EventHandler } from "../../support/event-handler.mjs";
import { matched } from "../../support/found.mjs";
import { until } from "../../support/waiting.mjs";
import { Installed } from "./installed.mjs";

const built = Installed.built();
let dev;
before(async () => {
  dev = await built.stay(["dev", "--port", 0, "--https-port", 0], /^listening on http:.*\n/m);
});
after(() => built.remove());

/** Types a command in the folder of the service, and expects it to end well. */
async function type(args, options) {
  const { status, stdout, stderr } = await built.type(args, options);
  assert.equal(status, 0, stderr);
  return stdout;
}
const json = async (args, options) => JSON.parse(await type([...args, "--json"], options));

const endpointOf = () => matched(/^listening on (http:\S+)$/m, dev.output)[1];

/** A subscriber on the terminal that is connected. */
const listening = (...args) => built.stay(["listen", ...args], /Connected to/);

describe("hubs", () => {
  test("set changes what options name, and delete undoes it", async () => {
    await type(["hubs", "set", "first", "--anonymous", "allow"]);
    await type(["hubs", "set", "first", "--shards", "2"]);
    const settings = { anonymousConnectPolicy: "allow", shards: 2, eventHandlers: [] };
    assert.deepEqual(await json(["hubs", "get", "first"]), settings);
    assert.ok((await type(["hubs", "list"])).split("\n").includes("first"));
    assert.ok((await json(["hubs", "list"])).includes("first"));
    await type(["hubs", "delete", "first"]);
    assert.equal((await json(["hubs", "get", "first"])).anonymousConnectPolicy, "deny");
  });

  test("set takes a file or standard input as it is", async () => {
    const file = path.join(built.project, "hub.json");
    writeFileSync(file, '{ "anonymousConnectPolicy": "allow" }');
    assert.equal((await json(["hubs", "set", "second", file])).anonymousConnectPolicy, "allow");
    const input = '{ "anonymousConnectPolicy": "deny" }';
    assert.equal((await json(["hubs", "set", "second", "-"], { input })).anonymousConnectPolicy, "deny");
  });

  for (const [what, args, input, code, message] of /** @type {[string, string[], string, number, RegExp][]} */ ([
    ["a hub that there is not", ["get", "nope"], "", 5, /^There is no hub nope: .* There /],
    ["a name that no hub has", ["get", "1"], "", 2, /^HUB must be 1 to 128 /],
    ["a setting that is wrong", ["set", "third", "-"], '{ "shards": 0 }', 2, /shards/],
    ["settings that are no JSON", ["set", "third", "-"], "{", 2, /^Standard input is not JSON: /],
    ["a file that is not there", ["set", "third", "nowhere.json"], "", 2, /^nowhere\.json cannot be read \(ENOENT\)/],
    ["nothing to set", ["set", "third"], "", 2, /takes a FILE \(- for standard input\), or options/],
  ])) {
    test(`say ${what}, with an exit code`, async () => {
      const { status, stdout, stderr } = await built.type(["hubs", ...args], { input });
      assert.deepEqual([status, stdout], [code, ""], stderr);
      assert.match(stderr, message);
    });
  }
});

test("a wrong key ends with exit code 4", async () => {
  const env = { WebPubSubConnectionString: `Endpoint=${endpointOf()};AccessKey=wrong;Version=1.0;` };
  for (const args of [
    ["hubs", "list"],
    ["send", "h", "x"],
    ["listen", "h"],
  ]) {
    const { status, stderr } = await built.type(args, { env });
    assert.equal(status, 4, stderr);
    assert.match(stderr, /signature is invalid/);
  }
});

test("the connection string of the environment is used elsewhere", async () => {
  const text = (await type(["connection-string", "--http"])).trim();
  const cwd = built.newFolder("elsewhere");
  await type(["hubs", "list"], { cwd, env: { WebPubSubConnectionString: text } });
  await type(["hubs", "list", "--connection-string", text], { cwd });
});

test("send reaches all, groups, users and connections", async () => {
  const ann = await listening("talk", "--user", "ann", "--group", "room", "--json", "--count", "5");
  const [, id] = matched(/connection (\S+)\./, ann.output);
  const bytes = path.join(built.project, "bytes");
  writeFileSync(bytes, Buffer.from([0, 255]));
  await type(["send", "talk", "to all"]);
  await type(["send", "talk", '{"a":1}', "--type", "json", "--group", "room"]);
  await type(["send", "talk", "--file", bytes, "--type", "binary", "--user", "ann"]);
  await type(["send", "talk", "to one", "--connection", id]);
  await type(["send", "talk", "not to ann", "--filter", "userId ne 'ann'"]);
  await type(["send", "talk", "not to her either", "--exclude", id]);
  await type(["send", "talk", "--file", "-", "--ttl", "10"], { input: "from standard input" });
  assert.equal(await ann.ended, 0);
  const received = ann.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    received.map(({ from, group, dataType, data }) => [from, group ?? null, dataType, data]),
    [
      ["server", null, "text", "to all"],
      ["group", "room", "json", { a: 1 }],
      ["server", null, "binary", "AP8="],
      ["server", null, "text", "to one"],
      ["server", null, "text", "from standard input"],
    ],
  );
});

test("listen prints no commands to the terminal", async () => {
  const anybody = await listening("calm", "--count", "1");
  await type(["send", "calm", "red \x1b[31m"]);
  assert.equal(await anybody.ended, 0);
  assert.match(anybody.stdout, /^\d\d:\d\d:\d\d\.\d{3} {2}server {2}text {2}red \\x1b\[31m\n$/);
});

test("listen ends on Ctrl-C, and its socket with it", async () => {
  const anybody = await listening("brief");
  assert.equal(await anybody.end("SIGINT"), 0);
  const attached = async () => {
    const metrics = await json(["metrics", "--hub", "brief"]);
    const value = (name) => metrics.find(({ metric }) => metric === `webpubsub_${name}`)?.value ?? 0;
    return value("connections") - value("detached_connections");
  };
  await until(async () => (await attached()) === 0, "the end of its socket");
});

for (const [what, args, message] of /** @type {[string, string[], RegExp][]} */ ([
  ["a filter", ["x", "--filter", "((("], /filter/],
  ["a type", ["x", "--type", "xml"], /^--type must be one of text, json, binary, not "xml"/],
  ["JSON", ["{", "--type", "json"], /^The message is not JSON: /],
  ["no message", [], /takes either DATA or --file FILE/],
  ["two targets", ["x", "--user", "u", "--group", "g"], /exclude each other/],
])) {
  test(`send says what is wrong with ${what}`, async () => {
    const { status, stderr } = await built.type(["send", "talk", ...args]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  });
}

test("handlers test and deliveries show a handler being mended", async (t) => {
  const handler = await EventHandler.start(t);
  await type(["hubs", "set", "shop", "--event-handler", `${handler.origin}/{event}`]);
  const follow = await built.stay(["deliveries", "shop", "--follow", "--json"], /^/);
  handler.answer("user.test", { status: 500, body: "no" });
  const failed = await built.type(["handlers", "test", "shop"]);
  assert.equal(failed.status, 1);
  assert.match(failed.stdout, /^ok {6}validation: .+\nfailed {2}event: .+\n/);
  handler.answer("user.test", {});
  const { steps } = await json(["handlers", "test", "shop", "0"]);
  assert.deepEqual(
    steps.map(({ step, ok }) => [step, ok]),
    [
      ["validation", true],
      ["event", true],
    ],
  );
  assert.match(await type(["deliveries", "shop", "--failed"]), /^\S+ {2}test {2}Status 500 {2}\d+ ms {2}attempt 1 /m);
  const lines = () => follow.stdout.split("\n").filter((line) => line.includes('"event":"test"'));
  await until(async () => (await pass(50), lines().length >= 2), "both attempts in what follows");
  assert.deepEqual(
    lines().map((line) => JSON.parse(line).error),
    ["Status", null],
  );
  handler.answer("sys.connect", { status: 200, body: "no JSON" });
  const refused = await built.type(["listen", "shop"]);
  assert.equal(refused.status, 1, refused.stderr);
  assert.match(refused.stderr, /HTTP 500.* Its event handler may have failed: \S.* deliveries shop --failed\n$/);
  const none = await built.type(["handlers", "test", "shop", "7"]);
  assert.deepEqual([none.status, none.stdout], [5, ""]);
});

test("trace shows what a hub does, over all its shards", async () => {
  await type(["hubs", "set", "traced", "--shards", "2"]);
  const trace = await built.stay(["trace", "traced", "--follow", "--payloads", "--json"], /^Watching /m);
  await type(["send", "traced", "to all of them"]);
  const records = () =>
    trace.stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const sent = () => records().filter(({ kind }) => kind === "command");
  await until(async () => (await pass(50), sent().length >= 1), "the publish");
  assert.deepEqual([sent()[0].operation, sent()[0].target], ["send", "all"]);
  assert.equal(await trace.end("SIGINT"), 0);
  const env = { WebPubSubConnectionString: `Endpoint=${endpointOf()};AccessKey=wrong;Version=1.0;` };
  const refused = await built.type(["trace", "traced"], { env });
  assert.equal(refused.status, 4, refused.stderr);
});

test("metrics are a table, JSON or Prometheus' text", async () => {
  const anybody = await listening("counted");
  const hasOne = async () => (await json(["metrics", "--hub", "Counted"]))[0]?.value === 1;
  await until(hasOne, "the connection in the metrics");
  assert.match(await type(["metrics", "--hub", "counted"]), /^hub +metric +value\ncounted +webpubsub_connections +1\n/);
  assert.match(await type(["metrics", "--prometheus"]), /^webpubsub_connections\{hub="counted",shard="0"\} 1$/m);
  await anybody.end("SIGINT");
});

test("git leaves alone what is kept", () => {
  assert.equal(readFileSync(path.join(built.project, ".webpubsub-edge", ".gitignore"), "utf8"), "*\n");
});

test("keys are rotated and regenerated, and the folder keeps them", async () => {
  const keys = () => json(["keys", "list", "--reveal"]);
  const before = await keys();
  assert.match(await type(["keys", "list"]), new RegExp(`^primary +${before.primary.key.slice(0, 4)}…$`, "m"));
  const old = await type(["connection-string", "--http"]);
  const printed = await type(["keys", "rotate"]);
  const after = await keys();
  assert.equal(after.secondary.key, before.primary.key);
  assert.ok(
    printed.startsWith(`Endpoint=${endpointOf().replace("127.0.0.1", "localhost")};AccessKey=${after.primary.key};`),
  );
  assert.match(printed, /is kept in \.webpubsub-edge\/keys/);
  assert.match(await type(["connection-string"]), new RegExp(`AccessKey=${after.primary.key};`));
  await type(["hubs", "list", "--connection-string", old.trim()]);
  await type(["keys", "regenerate", "secondary"]);
  assert.equal((await built.type(["hubs", "list", "--connection-string", old.trim()])).status, 4);
  await type(["hubs", "list"]);
  const wrong = await built.type(["keys", "regenerate", "both"]);
  assert.equal(wrong.status, 2, wrong.stderr);
});
