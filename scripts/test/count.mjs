// How many tests passed and failed, from what the test runners print.

/**
 * The sum over every summary in the output of cargo, wasm-bindgen and node; zeros if there is none.
 * @param {string} output
 */
export function countTests(output) {
  const text = output.replace(/\x1b\[[0-9;]*m/g, "");
  const count = { passed: 0, failed: 0 };
  for (const [, passed, failed] of text.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)) {
    count.passed += Number(passed);
    count.failed += Number(failed);
  }
  for (const [, outcome, number] of text.matchAll(/^(?:#|ℹ) (pass|fail|cancelled) (\d+)$/gm)) {
    count[outcome === "pass" ? "passed" : "failed"] += Number(number);
  }
  return count;
}

/**
 * What a step adds to the sum: its own tests, or itself where it has none, or where it failed without one.
 * @param {boolean} succeeded
 * @param {{ passed: number, failed: number }} [counted]
 */
export function outcome(succeeded, { passed, failed } = { passed: 0, failed: 0 }) {
  if (succeeded && passed + failed === 0) return { passed: 1, failed: 0 };
  if (!succeeded && failed === 0) return { passed, failed: 1 };
  return { passed, failed };
}
