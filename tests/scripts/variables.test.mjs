// The list of the worker's variables, beside the worker's own source and the documents' table.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { filesUnder } from "../../scripts/build/inputs.mjs";
import { nearest } from "../../scripts/nearest.mjs";
import { at } from "../../scripts/paths.mjs";
import {
  HANDLER_SECRET,
  MAX_SHARDS,
  checkConfigured,
  elsewhere,
  isOn,
  variable,
  variables,
  readSwitch,
} from "../../scripts/variables.mjs";
import { matched } from "../support/found.mjs";
import { readVectors } from "../support/vectors.mjs";

const config = readFileSync(at("crates", "webpubsub-service", "src", "config.rs"), "utf8");
const names = [...Object.keys(variables), ...Object.keys(elsewhere)].sort();
const sorted = (matches) => [...new Set([...matches].map(([, name]) => name))].sort();

/** What a bound of the worker's stands for. */
function number(bound) {
  if (/^[\d_]+$/.test(bound)) return Number(bound.replaceAll("_", ""));
  if (bound === "u32::MAX") return 2 ** 32 - 1;
  const name = bound.split("::").at(-1);
  const sources = filesUnder(at("crates", "webpubsub-shard", "src"))
    .map((file) => readFileSync(file, "utf8"))
    .join("");
  return number(matched(new RegExp(`const ${name}: u32 = ([\\d_]+);`), sources)[1]);
}

test("the list has the variables that the worker reads, no other", () => {
  assert.deepEqual(sorted(config.matchAll(/(?:text|within|any|hosts)\(\s*"([A-Z_]+)"/g)), names);
});

const [, table] = matched(
  /\| variable \| default \| allowed \| meaning \|\n([^]*?)\n\n/,
  readFileSync(at("docs", "configuration.md"), "utf8"),
);

test("the list has the variables of the documents' table, no other", () => {
  assert.deepEqual(sorted(table.matchAll(/^\| `([A-Z_]+)` \|/gm)), names);
});

test("the documents' table has the least and greatest of a number", () => {
  const rows = new Map(
    table.split("\n").flatMap((row) => {
      const [, name, , allowed] = row.split(" | ").join("|").split("|");
      return [[name.trim().replaceAll("`", ""), allowed.trim()]];
    }),
  );
  const long = (/** @type {number} */ bound) => bound.toLocaleString("en-US");
  const numbers = { ...variables, SHARDS: { least: 1, most: MAX_SHARDS } };
  for (const [name, { least, most }] of Object.entries(numbers)) {
    if (least !== undefined && most !== undefined) assert.equal(rows.get(name), `${long(least)}–${long(most)}`, name);
  }
});

test("secrets of event handlers have the worker's prefix", () => {
  const auth = readFileSync(at("crates", "webpubsub-shard", "src", "settings", "event_handler", "auth.rs"), "utf8");
  assert.equal(matched(/const PREFIX: &str = "(\w+)"/, auth)[1], HANDLER_SECRET);
});

test("numbers have the bounds that the worker's have", () => {
  const bounds = new Map();
  for (const [, name, , least, most] of config.matchAll(
    /within\(\s*"([A-Z_]+)",\s*([\w:]+),\s*(\w+),\s*([\w:]+)\s*\)/g,
  ))
    bounds.set(name, [least, most].map(number));
  for (const [, name] of config.matchAll(/any\(\s*"([A-Z_]+)"/g)) bounds.set(name, [0, 2 ** 32 - 1]);
  const listed = Object.entries(variables).filter(([, { least }]) => least !== undefined);
  assert.ok(listed.length > 5);
  for (const [name, { least, most }] of listed) assert.deepEqual([least, most], bounds.get(name), name);
});

test("values are read as the worker reads them", () => {
  for (const value of ["60", " 60 ", "+60", "060"])
    assert.deepEqual(variable(`RECOVERY_WINDOW_SECONDS=${value}`), ["RECOVERY_WINDOW_SECONDS", value]);
  for (const value of ["", "-1", "1.5", "0x10", "3601", "one"])
    assert.throws(() => variable(`RECOVERY_WINDOW_SECONDS=${value}`), /must be a whole number from 1 to 3600/);
  for (const value of ["1,3,5", "", "0", "1, 3 ,", "600"]) variable(`EVENT_RETRY_SECONDS=${value}`);
  for (const value of ["601", "1,-1", "1,x", "1,1,1,1,1,1,1,1,1,1,1"])
    assert.throws(() => variable(`EVENT_RETRY_SECONDS=${value}`), /EVENT_RETRY_SECONDS must be/);
});

test("a switch is read as the worker reads it", () => {
  for (const { text, expected } of readVectors("variables/switches")) {
    assert.equal(readSwitch(text) ?? null, expected, text);
    assert.equal(isOn(text), expected === true, text);
    const set = () => variable(`ALLOW_PRIVATE_EVENT_HANDLERS=${text}`);
    if (expected === null) assert.throws(set, /ALLOW_PRIVATE_EVENT_HANDLERS must be on or off/);
    else assert.deepEqual(set(), ["ALLOW_PRIVATE_EVENT_HANDLERS", text]);
  }
  assert.equal(isOn(undefined), false);
});

test("wrangler.toml's variables obey the same rules, and no key", () => {
  checkConfigured({ SHARDS: "4", MAP_TTL_MS: 10, HUB_SETTINGS: "{}", HANDLER_SECRET_A: "x" });
  assert.throws(
    () => checkConfigured({ SHARDS: "0" }),
    /^Error: SHARDS must be a whole number from 1 to 65535, not "0"\./,
  );
  assert.throws(
    () => checkConfigured({ ACCEPTED_HOSTS: "https://public.example" }),
    /^Error: ACCEPTED_HOSTS must be hosts/,
  );
  assert.throws(() => checkConfigured({ SHRADS: "1" }), /Did you mean SHARDS\?/);
  assert.throws(() => checkConfigured({ WEBPUBSUB_ACCESS_KEY: "k" }), /is a secret, and does not belong in \[vars\]/);
});

test("a name is taken for its nearest, if one is near", () => {
  const near = {
    SHARD_SOFT_LIMT: "SHARD_SOFT_LIMIT",
    recovery_window_secs: "RECOVERY_WINDOW_SECONDS",
    SHADRS: "SHARDS",
    ACCEPT_HOSTS: "ACCEPTED_HOSTS",
  };
  for (const [text, name] of Object.entries(near)) assert.equal(nearest(text, names), name);
  assert.equal(nearest("COLOUR", names), undefined);
  assert.equal(nearest("prot", ["port", "host"]), "port");
});
