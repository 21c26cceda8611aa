// Tools and crates that have to match.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/paths.mjs";
import { matches } from "../../scripts/setup/npm.mjs";
import {
  atLeast,
  checkNode,
  checkVersions,
  lockedVersion,
  minimumRust,
  pinnedRust,
  versions,
} from "../../scripts/versions.mjs";
import { matched } from "../support/found.mjs";

const lock = (wasmBindgen, worker) => `
[[package]]
name = "wasm-bindgen"
version = "${wasmBindgen}"

[[package]]
name = "wasm-bindgen-macro"
version = "9.9.9"

[[package]]
name = "worker"
version = "${worker}"
`;

test("a crate's version is found by its whole name", () => {
  assert.equal(lockedVersion(lock("1.2.3", "4.5.6"), "wasm-bindgen"), "1.2.3");
  assert.equal(lockedVersion(lock("1.2.3", "4.5.6"), "wasm"), undefined);
});

test("a tool that drifts from its crate is reported with versions", () => {
  assert.doesNotThrow(() => checkVersions(lock(versions["wasm-bindgen"], versions["worker-build"])));
  assert.throws(
    () => checkVersions(lock("0.2.99", versions["worker-build"])),
    /wasm-bindgen is pinned to .* Cargo\.lock has wasm-bindgen 0\.2\.99/,
  );
  assert.throws(
    () => checkVersions(lock(versions["wasm-bindgen"], "0.1.0")),
    /worker-build is pinned to .* Cargo\.lock has worker 0\.1\.0/,
  );
});

test("the project's own lock file matches the pins", () => checkVersions());

test("an old Node is distinguished from one that will do", () => {
  checkNode();
  assert.throws(() => checkNode("18.20.0"), /^Error: Node 20.* is needed and this is 18\.20\.0\./);
});

test("the pinned Rust is the oldest that will do", () => {
  assert.equal(pinnedRust(), `${minimumRust()}.0`);
});

test("crates, npm packages and changelog have one version", () => {
  const manifests = ["package.json", "crates/webpubsub-client/npm/package.json", "bench/package.json"];
  const versions = manifests.map((file) => JSON.parse(readFileSync(at(file), "utf8")).version);
  const [, crates] = matched(/^version = "(.*)"$/m, readFileSync(at("Cargo.toml"), "utf8"));
  const [, released] = matched(/^## (\d\S*)/m, readFileSync(at("CHANGELOG.md"), "utf8"));
  assert.deepEqual(new Set([...versions, crates]), new Set([released]));
});

test("versions compare by number", () => {
  assert.ok(atLeast("1.95.0", "1.95"));
  assert.ok(atLeast("1.100.0", "1.95"));
  assert.ok(atLeast("2.0.0", "1.95.1"));
  assert.ok(!atLeast("1.94.9", "1.95"));
  assert.ok(atLeast("1.96.0-nightly", "1.95"));
});

test("npm packages are there if all but optional ones are, locked", () => {
  const locked = { packages: { "": {}, a: { version: "1" }, b: { version: "2", optional: true }, c: { link: true } } };
  assert.ok(matches(locked, { packages: { a: { version: "1" } } }));
  assert.ok(!matches(locked, { packages: { a: { version: "2" } } }));
  assert.ok(!matches(locked, { packages: { a: { version: "1" }, b: { version: "3" } } }));
  assert.ok(!matches(locked, { packages: {} }));
});
