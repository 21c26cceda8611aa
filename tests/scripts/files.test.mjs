// Which test files somebody means who types their names.
import assert from "node:assert/strict";
import { relative } from "node:path";
import { test } from "node:test";
import { messageOf } from "../../scripts/errors.mjs";
import { at } from "../../scripts/paths.mjs";
import { namedFiles } from "../../scripts/test/files.mjs";

const tests = (...parts) => relative(process.cwd(), at("tests", ...parts));

test("a file is taken as it is named", () => {
  assert.deepEqual(namedFiles([]), []);
  assert.deepEqual(namedFiles([tests("scripts", "names.test.mjs")]), [tests("scripts", "names.test.mjs")]);
});

test("a folder stands for all test files in it, and nothing else", () => {
  const files = namedFiles([tests("e2e", "rest")]);
  assert.ok(files.includes(tests("e2e", "rest", "send.test.mjs")), files.join());
  assert.ok(files.length > 3 && files.every((file) => file.endsWith(".test.mjs")), files.join());
  const nothing = tests("vectors");
  assert.throws(() => namedFiles([nothing]), { message: `There is no test file in ${nothing}.` });
});

test("a file that is not there is named, with what is meant", () => {
  const wrong = (name) => {
    try {
      return assert.fail(namedFiles([name]).join());
    } catch (error) {
      return messageOf(error);
    }
  };
  const meant = tests("e2e", "rest", "send.test.mjs");
  assert.equal(wrong("sned.test.mjs"), `There is no test file sned.test.mjs. Did you mean ${meant}?`);
  const elsewhere = tests("rest", "send.test.mjs");
  assert.equal(wrong(elsewhere), `There is no test file ${elsewhere}. Did you mean ${meant}?`);
  assert.equal(wrong("nothing-like-it"), "There is no test file nothing-like-it.");
});
