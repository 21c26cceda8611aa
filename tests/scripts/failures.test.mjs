// What the end of `npm test` says of a step that failed.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { relative } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { at, root } from "../../scripts/paths.mjs";
import { describeFailure, newFailures, readFailures } from "../../scripts/test/failures.mjs";
import { runTestFile } from "../support/test-file.mjs";

const REPORTER = pathToFileURL(at("scripts", "test", "failures.mjs")).href;

/** Runs a test file with this in it, and returns its path from the root and what was noted of it. */
function failuresOf(t, program) {
  const noted = newFailures();
  t.after(() => rmSync(noted, { force: true }));
  const options = [`--test-reporter=${REPORTER}`, `--test-reporter-destination=${noted}`];
  const { file, status } = runTestFile(t, program, options);
  return { file: relative(root, file), status, failed: readFailures(noted) };
}

test("a failed test is named with its suites, error and places", (t) => {
  const { file, status, failed } = failuresOf(
    t,
    `import assert from "node:assert/strict";
import { describe, test } from "node:test";
const check = (status) => assert.equal(status, 200, "answer 3");
describe("Answers", () => {
  describe("of one shard", () => {
    test("come", () => {});
    test("are well", () => check(404));
  });
});
`,
  );
  assert.equal(status, 1);
  const [step, name, error, ...more] = describeFailure({ message: "node --test failed with exit code 1.", failed });
  assert.deepEqual(
    [step, name, error],
    [
      "node --test failed with exit code 1.",
      `✖ Answers > of one shard > are well (${file}:7)`,
      "  AssertionError: answer 3",
    ],
  );
  const compared = more.splice(0, more.length - 2).join("\n");
  assert.ok(compared.includes("404") && compared.includes("200"), compared);
  assert.deepEqual(more, [`  at ${file}:3:34`, `  at ${file}:7:28`]);
});

test("what is compared stands once, and long differences are cut", (t) => {
  const { failed } = failuresOf(
    t,
    `import assert from "node:assert/strict";
import { test } from "node:test";
test("two numbers", () => assert.equal(1, 2));
test("two lists", () => assert.deepEqual(Array(100).fill(1), Array(100).fill(2)));
test("a long text", () => { throw new Error("x".repeat(10_000)); });
`,
  );
  const lines = describeFailure({ message: "node --test failed.", failed });
  assert.equal(lines.filter((line) => line.includes("1 !== 2")).length, 1);
  assert.ok(!lines.some((line) => line.startsWith("  expected:")), lines.join("\n"));
  assert.ok(lines.length < 40, lines.join("\n"));
  assert.ok(lines.every((line) => line.length < 300));
});

test("a file that ends in the middle, and a hook, are said too", (t) => {
  const broken = failuresOf(t, 'throw new Error("no test came");');
  assert.match(broken.failed[0].name, /some\.test\.mjs$/);
  const { failed } = failuresOf(
    t,
    `import { before, describe, test } from "node:test";
describe("A service", () => {
  before(() => { throw new Error("it does not start"); });
  test("answers", () => {});
});
`,
  );
  const [first, ...cancelled] = failed;
  assert.deepEqual([first.name, first.why[0]], ["A service", "Error: it does not start"]);
  assert.deepEqual(
    cancelled.map(({ name }) => name),
    ["A service > answers"],
  );
});

test("cargo's failures are said with what they printed at last", () => {
  const output = `
running 2 tests
test one ... ok
test two ... FAILED

failures:

---- two stdout ----
some words before

thread 'two' (7) panicked at crates/x/tests/two.rs:12:5:
assertion \`left == right\` failed: the sum
  left: 1
 right: 2
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace


failures:
    two

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
`;
  assert.deepEqual(describeFailure({ message: "cargo test failed with exit code 101.", output }), [
    "cargo test failed with exit code 101.",
    "✖ two",
    "  thread 'two' (7) panicked at crates/x/tests/two.rs:12:5:",
    "  assertion `left == right` failed: the sum",
    "    left: 1",
    "   right: 2",
  ]);
});

test("a step without tests is said by its message", () => {
  const lines = Array.from({ length: 60 }, (_, n) => `line ${n}`);
  const said = describeFailure({
    message: ["tsc failed with exit code 1.", ...lines].join("\n"),
    output: lines.join("\n"),
  });
  assert.deepEqual([said[0], said[1], said.at(-1)], ["tsc failed with exit code 1.", "  line 0", "  line 59"]);
  assert.ok(said.length < 20);
});

test("of very many failures some are described", () => {
  const failed = Array.from({ length: 50 }, (_, n) => ({ name: `test ${n}`, why: ["Error: no"] }));
  const said = describeFailure({ message: "node --test failed.", failed });
  assert.deepEqual(said.slice(-3), ["✖ test 19", "  Error: no", "… and 30 more"]);
});
