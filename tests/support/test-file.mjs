// A file of tests with a given text, and a run of it by Node's test runner.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, root } from "../../scripts/paths.mjs";

/** A run that takes longer hangs. */
const LIMIT_MS = 60_000;

/**
 * Runs a test file with this in it, which is there until the test is over, and returns its path and how the run ended.
 * @param {import("node:test").TestContext} t
 * @param {string} program
 * @param {string[]} options Of Node, beside `--test`.
 */
export function runTestFile(t, program, options) {
  mkdirSync(build, { recursive: true });
  const folder = mkdtempSync(join(build, "test-file-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "some.test.mjs");
  writeFileSync(file, program);
  // Else it would report to the runner of the test that runs it.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ["--test", ...options, file];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, env, encoding: "utf8", timeout: LIMIT_MS });
  return { file, status, stdout };
}
