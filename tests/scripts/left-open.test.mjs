// A test file that leaves something open ends, and all that it reported is read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { at } from "../../scripts/paths.mjs";
import { runTestFile } from "../support/test-file.mjs";

const script = (file) => pathToFileURL(at("scripts", "test", file)).href;

/** Runs a test file with this in it, and returns its exit code and the names of the tests that are recorded as passed. */
function runOf(t, program) {
  const options = [`--import=${script("left-open.mjs")}`, `--test-reporter=${script("record.mjs")}`];
  const { status, stdout } = runTestFile(t, program, options);
  const passed = stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line).name);
  return { status, passed };
}

const OPENS = `import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
const names = Array.from({ length: 1_000 }, (_, i) => \`test \${i} \${"x".repeat(60)}\`);
`;

test("what passed in a file that leaves a server open is recorded", (t) => {
  const { status, passed } = runOf(
    t,
    `${OPENS}
test("opens", () => { createServer().listen(0); });
describe("Many", () => { for (const name of names) test(name, () => {}); });
`,
  );
  assert.equal(status, 0);
  assert.equal(passed.length, 1_001);
});

test("a file that fails half-way and leaves a server open fails", (t) => {
  const { status, passed } = runOf(
    t,
    `${OPENS}
test("opens", () => { createServer().listen(0); assert.fail("half-way"); });
test("comes later", async () => { await new Promise((done) => setTimeout(done, 1_500)); });
describe("Many", () => { for (const name of names) test(name, () => {}); });
`,
  );
  assert.equal(status, 1);
  assert.equal(passed.length, 1_001);
  assert.equal(passed[0], "comes later");
});
