// What `npm start` and `npm run serve` take, and what they say about the rest.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { addressFlags, addressOptions, serviceFlags, serviceOptions } from "../../scripts/options.mjs";
import { parse as parseCommand } from "../../scripts/command.mjs";
import { state } from "../../scripts/paths.mjs";
import { cases } from "../support/cases.mjs";

const folder = mkdtempSync(join(tmpdir(), "options-"));
after(() => rmSync(folder, { recursive: true }));

const command = { name: "npm run serve", about: "", flags: serviceFlags, examples: [] };
const parse = (...args) => serviceOptions(args, command);

function file(name, content) {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

test("without flags there are the documented defaults", () => {
  assert.deepEqual(parse(), {
    port: 8080,
    host: "127.0.0.1",
    state,
    https: undefined,
    webSocketCompression: false,
    logFile: undefined,
    variables: { SHARDS: "1" },
  });
});

test("https is served on any sign of it, and always by npm start", () => {
  const usual = { port: 8443, isGiven: false, files: undefined };
  assert.deepEqual(parse("--https").https, usual);
  assert.deepEqual(serviceOptions([], { ...command, alwaysHttps: true }).https, usual);
  assert.deepEqual(parse("--https-port", "0").https, { ...usual, port: 0, isGiven: true });
  assert.deepEqual(parse("--cert", "c.pem", "--key", "k.pem").https, {
    ...usual,
    files: { cert: resolve("c.pem"), key: resolve("k.pem") },
  });
});

test("printing URLs finds a service by folder, port, URL or record", () => {
  const address = (...args) =>
    addressOptions(parseCommand(args, { name: "npm run token", about: "", flags: addressFlags, examples: [] }));
  assert.deepEqual(address(), {
    connection: undefined,
    state,
    port: undefined,
    host: undefined,
    scheme: undefined,
    endpoint: undefined,
    isDeployed: false,
  });
  assert.deepEqual(address("--state", "here", "--port", "81", "--host", "[::1]", "--https"), {
    connection: undefined,
    state: resolve("here"),
    port: 81,
    host: "::1",
    scheme: "https",
    endpoint: undefined,
    isDeployed: false,
  });
  assert.equal(address("--endpoint", "HTTPS://Service.example:443/").endpoint, "https://service.example");
  assert.throws(() => address("--http", "--https"), /exclude each other/);
  for (const wrong of ["service.example", "ws://h", "https://h/api", "https://u@h"])
    assert.throws(() => address("--endpoint", wrong), /--endpoint must be/);
});

test("every flag arrives", () => {
  const settings = file("settings.json", '{ "hubs": {} }\n');
  const options = parse(
    "--port",
    "9000",
    "--host",
    "[::1]",
    "--state",
    "here",
    "--shards",
    "4",
    "--settings",
    settings,
    "--var",
    "MAP_TTL_MS= 1",
    "--var",
    "HANDLER_SECRET_B=x=y",
    "--web-socket-compression",
    "--log-file",
    "log",
  );
  assert.deepEqual(options, {
    port: 9000,
    host: "::1",
    state: resolve("here"),
    https: undefined,
    webSocketCompression: true,
    logFile: resolve("log"),
    variables: { MAP_TTL_MS: " 1", HANDLER_SECRET_B: "x=y", SHARDS: "4", HUB_SETTINGS: '{"hubs":{}}' },
  });
});

const refused = cases([
  [
    "an unknown flag",
    ["--prot", "1"],
    /^Unknown option --prot\. npm run serve takes --port, .* Did you mean --port\?$/,
  ],
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
  [
    "a variable that there is not",
    ["--var", "SHARD_SOFT_LIMT=9"],
    /^There is no variable SHARD_SOFT_LIMT\. Did you mean SHARD_SOFT_LIMIT\?$/,
  ],
  [
    "a variable in other letters",
    ["--var", "map_ttl_ms=9"],
    /^There is no variable map_ttl_ms\. Did you mean MAP_TTL_MS\?$/,
  ],
  [
    "a variable that is like none",
    ["--var", "COLOUR=red"],
    /^There is no variable COLOUR\. There are MAP_TTL_MS, .*, and names that begin with HANDLER_SECRET_\.$/,
  ],
  [
    "a number that is too small",
    ["--var", "EVENT_TIMEOUT_SECONDS=0"],
    /^EVENT_TIMEOUT_SECONDS must be a whole number from 1 to 600, not "0"\.$/,
  ],
  [
    "a number that is none",
    ["--var", "CONNECTION_QUOTA=1e3"],
    /^CONNECTION_QUOTA must be a whole number from 0 to 4294967295, not "1e3"\.$/,
  ],
  [
    "pauses that are none",
    ["--var", "EVENT_RETRY_SECONDS=1;3"],
    /^EVENT_RETRY_SECONDS must be up to 10 whole numbers from 0 to 600 with commas between, not "1;3"\.$/,
  ],
  [
    "a handler's secret in other letters",
    ["--var", "handler_secret_b=x"],
    /^There is no variable handler_secret_b\. Did you mean HANDLER_SECRET_b\?$/,
  ],
  [
    "an accepted host with a scheme",
    ["--var", "ACCEPTED_HOSTS=https://public.example"],
    /^ACCEPTED_HOSTS must be hosts with commas between, such as public\.example,localhost:8443, without schemes and paths, not "https:\/\/public\.example"\.$/,
  ],
  ["an accepted host with a path", ["--var", "ACCEPTED_HOSTS=public.example/api"], /^ACCEPTED_HOSTS must be hosts/],
  [
    "hosts with blanks between",
    ["--var", "ACCEPTED_HOSTS=public.example second.example"],
    /^ACCEPTED_HOSTS must be hosts/,
  ],
  ["a pattern of accepted hosts", ["--var", "ACCEPTED_HOSTS=*.example"], /^ACCEPTED_HOSTS must be hosts/],
  ["a host of the service with a user", ["--var", "SERVICE_HOSTS=localhost:8080,u@h"], /^SERVICE_HOSTS must be hosts/],
  [
    "a switch that is neither on nor off",
    ["--var", "ALLOW_PRIVATE_EVENT_HANDLERS=maybe"],
    /^ALLOW_PRIVATE_EVENT_HANDLERS must be on or off, not "maybe"\.$/,
  ],
  ["a certificate without its key", ["--cert", "c.pem"], /^--cert FILE and --key FILE go together/],
  ["one port for both", ["--port", "8443", "--https"], /^http and https cannot both listen at port 8443/],
  [
    "an access key where others can read it",
    ["--var", "WEBPUBSUB_ACCESS_KEY=k"],
    /in the environment or in \.dev\.vars/,
  ],
  ["settings that are not there", ["--settings", join(folder, "nowhere.json")], /cannot be read \(ENOENT\)/],
]);
for (const [what, args, message] of refused) {
  test(`${what} is refused in one line, with exit code 2`, () => {
    assert.throws(
      () => parse(...args),
      (/** @type {import("../../scripts/terminal.mjs").Problem} */ error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        assert.equal(error.exitCode, 2);
        return true;
      },
    );
  });
}

test("hosts are names and addresses, each with a port if need be", () => {
  for (const hosts of [
    "",
    "public.example",
    "Public.Example:8443, localhost,",
    "127.0.0.1:80,[::1]:8080,[::1],a_b-c.xn--p1ai",
  ]) {
    assert.equal(parse("--var", `ACCEPTED_HOSTS=${hosts}`).variables.ACCEPTED_HOSTS, hosts);
  }
});

test("settings have to be a JSON object", () => {
  assert.throws(() => parse("--settings", file("broken.json", "{ hubs")), /broken\.json is not JSON: /);
  assert.throws(() => parse("--settings", file("list.json", "[]")), /must hold a JSON object/);
  assert.throws(() => parse("--settings", file("null.json", "null")), /must hold a JSON object/);
});
