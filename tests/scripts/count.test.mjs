// The sum that ends `npm test`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { countTests, outcome } from "../../scripts/test/count.mjs";

test("cargo's and wasm-bindgen's summaries are added up", () => {
  const output = `
running 3 tests
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests x
test result: FAILED. 4 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s
test result: ok. 5 passed; 0 failed; 0 ignored; 0 filtered out; finished in 0.00s
`;
  assert.deepEqual(countTests(output), { passed: 12, failed: 2 });
});

test("node's summaries are added up, cancelled tests as failed", () => {
  assert.deepEqual(countTests("ℹ tests 4\nℹ suites 1\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0\n"), {
    passed: 2,
    failed: 2,
  });
  assert.deepEqual(countTests("# tests 1\n# pass 1\n# fail 0\n"), { passed: 1, failed: 0 });
});

test("colours do not matter, nor do lines that only look alike", () => {
  assert.deepEqual(countTests("test result: \x1b[32mok\x1b[0m. 1 passed; 0 failed;\n\x1b[34mℹ pass 2\x1b[39m\n"), {
    passed: 3,
    failed: 0,
  });
  assert.deepEqual(countTests("we say: test result: ok. 1 passed; 0 failed\n  ℹ pass 2 things\n"), {
    passed: 0,
    failed: 0,
  });
});

test("a step without tests counts one, a failed one never none", () => {
  assert.deepEqual(outcome(true), { passed: 1, failed: 0 });
  assert.deepEqual(outcome(false), { passed: 0, failed: 1 });
  assert.deepEqual(outcome(true, { passed: 7, failed: 0 }), { passed: 7, failed: 0 });
  assert.deepEqual(outcome(false, { passed: 7, failed: 2 }), { passed: 7, failed: 2 });
  assert.deepEqual(outcome(false, { passed: 7, failed: 0 }), { passed: 7, failed: 1 });
});
