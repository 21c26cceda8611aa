// What one test file needs of the set-up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "../../scripts/paths.mjs";
import { needsOf } from "../../scripts/test/needs.mjs";

const needs = (...files) => needsOf(files.map((file) => at("tests", file)));

test("most end-to-end tests need a build and nothing else", () => {
  assert.deepEqual(needs("e2e/rest/auth.test.mjs", "e2e/clients/groups.test.mjs"), ["build"]);
});

test("a browser and Python are needed by those that import them", () => {
  assert.deepEqual(needs("browser/page.test.mjs"), ["build", "browser"]);
  assert.deepEqual(needs("sdk/python.test.mjs"), ["build", "python"]);
  assert.deepEqual(needs("sdk/python.test.mjs", "browser/page.test.mjs"), ["build", "browser", "python"]);
});

test("the packaging tests need their runtimes", () => {
  assert.deepEqual(needs("packaging/node.test.mjs"), ["packaging"]);
});
