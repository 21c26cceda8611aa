// What `npm start` and `npm run serve` take, and what they say about the rest.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { serviceOptions } from "../../scripts/options.mjs";
import { state } from "../../scripts/paths.mjs";

const folder = mkdtempSync(join(tmpdir(), "options-"));
after(() => rmSync(folder, { recursive: true }));

const parse = (...args) => serviceOptions(args, "npm start");

function file(name, content) {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

test("without flags there are the documented defaults", () => {
  assert.deepEqual(parse(), { port: 8080, host: "127.0.0.1", state, webSocketCompression: false, logFile: undefined, variables: { SHARDS: "1" } });
});

test("every flag arrives", () => {
  const settings = file("settings.json", '{ "hubs": {} }\n');
  const options = parse("--port", "9000", "--host", "[::1]", "--state", "here", "--shards", "4", "--settings", settings, "--var", "A=1", "--var", "B=x=y", "--web-socket-compression", "--log-file", "log");
  assert.deepEqual(options, {
    port: 9000,
    host: "::1",
    state: resolve("here"),
    webSocketCompression: true,
    logFile: resolve("log"),
    variables: { A: "1", B: "x=y", SHARDS: "4", HUB_SETTINGS: '{"hubs":{}}' },
  });
});

const refused = [
  ["an unknown flag", ["--prot", "1"], /^Unknown option --prot\. npm start takes --port, /],
  ["a word", ["9000"], /Unexpected argument '9000'/],
  ["a flag without its value", ["--port"], /^--port needs a value\.$/],
  ["a port that is no number", ["--port", "http"], /^--port must be a whole number from 0 to 65535, not "http"\.$/],
  ["a port that is too large", ["--port", "65536"], /not "65536"/],
  ["no shards", ["--shards", "0"], /^--shards must be a whole number from 1 to 65535, not "0"\.$/],
  ["too many shards", ["--shards", "65536"], /not "65536"/],
  ["half a shard", ["--shards", "1.5"], /not "1.5"/],
  ["a host with a path", ["--host", "http://x/"], /^--host must be a host name or an address/],
  ["an empty state folder", ["--state", ""], /^--state needs a value\.$/],
  ["a variable without a value", ["--var", "A"], /^--var must be NAME=VALUE, not "A"\.$/],
  ["a variable with a bad name", ["--var", "A-B=1"], /NAME=VALUE/],
  ["a variable that has its own flag", ["--var", "SHARDS=2"], /^Set SHARDS with --shards N\.$/],
  ["an access key where others can read it", ["--var", "WEBPUBSUB_ACCESS_KEY=k"], /in the environment or in \.dev\.vars/],
  ["settings that are not there", ["--settings", join(folder, "nowhere.json")], /cannot be read \(ENOENT\)/],
];
for (const [what, args, message] of refused) {
  test(`${what} is refused in one line, with exit code 2`, () => {
    assert.throws(() => parse(...args), (error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      assert.equal(error.exitCode, 2);
      return true;
    });
  });
}

test("settings have to be a JSON object", () => {
  assert.throws(() => parse("--settings", file("broken.json", "{ hubs")), /broken\.json is not JSON: /);
  assert.throws(() => parse("--settings", file("list.json", "[]")), /must hold a JSON object/);
  assert.throws(() => parse("--settings", file("null.json", "null")), /must hold a JSON object/);
});
