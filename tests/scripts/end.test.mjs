// How a test file's process ends: every test is counted, and what a test left open is not waited for.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { at } from "../../scripts/paths.mjs";

const folder = mkdtempSync(join(tmpdir(), "end-"));
after(() => rmSync(folder, { recursive: true }));

/** Runs a test file with this text; its exit code and the tests that were counted. */
function counted(text) {
  const file = join(folder, "some.test.mjs");
  writeFileSync(file, text);
  const end = pathToFileURL(at("scripts", "test", "end.mjs")).href;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ["--import", end, "--test", "--test-reporter=tap", file], { env, encoding: "utf8" });
  const number = (what) => Number(stdout.match(new RegExp(`^# ${what} (\\d+)`, "m"))?.[1]);
  return { status, pass: number("pass"), fail: number("fail") };
}

const MANY = `import { test } from "node:test"; import net from "node:net";
for (let i = 0; i < 2000; i++) test(\`\${i} \${"x".repeat(100)}\`, () => {});
test("leaves a server", () => void net.createServer().listen(0));`;

test("a file that leaves a server open ends, with every test counted", () => {
  assert.deepEqual(counted(MANY), { status: 0, pass: 2001, fail: 0 });
});

test("a failure beside it is one, in the exit code as well", () => {
  assert.deepEqual(counted(`${MANY}\ntest("fails", () => { throw new Error("no"); });`), { status: 1, pass: 2001, fail: 1 });
});
