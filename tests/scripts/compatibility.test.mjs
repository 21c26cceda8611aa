// COMPATIBILITY.md: how its rows are held to the tests that they name.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { documentOf, versionsOf } from "../../scripts/compatibility/document.mjs";
import { notPassed, notThere } from "../../scripts/compatibility/tests.mjs";
import { at } from "../../scripts/paths.mjs";
import report from "../../scripts/test/record.mjs";
import { differs, missing, row, testsOf } from "../compatibility/row.mjs";

const acks = testsOf("tests/e2e/clients/acks.test.mjs");
const cache = testsOf("crates/webpubsub-shard/src/ack.rs");
const remembered = acks("the last thousand ids are remembered, older ones are not");

test("a test or a case that is not there is reported", () => {
  const vector = testsOf("tests/e2e/clients/json-vectors.test.mjs")(
    "every accepted frame is answered as its words say",
    "a group may have 1024 characters",
  );
  assert.deepEqual(notThere(row("f", remembered, vector, cache("zero_and_the_largest_number_are_ack_ids"))), []);
  for (const gone of [
    acks("the last thousand ids"),
    acks("no such test"),
    cache("no_such_test"),
    testsOf("tests/e2e/none.mjs")("x"),
  ]) {
    assert.deepEqual(notThere(row("f", remembered, gone)), [`  f\n    no test ${gone.file}: ${gone.name}`]);
  }
  assert.deepEqual(notThere(row("f", { ...remembered, cases: ["no such case"] })), [
    `  f\n    no case no such case in ${remembered.file}: ${remembered.name}`,
  ]);
});

test("a test has to have passed with every number of shards", () => {
  const run = (suite, name = remembered.name, file = remembered.file) => ({ file, suites: suite ? [suite] : [], name });
  const [one, four, growing] = [run("Acks (1 shard)"), run("Acks (4 shards)"), run("Acks (growing)")];
  assert.deepEqual(notPassed(row("f", remembered), [one, four]), []);
  assert.deepEqual(notPassed(row("f", remembered), [growing, one, four]), []);
  assert.deepEqual(notPassed(row("f", remembered), [run()]), []);
  assert.deepEqual(notPassed(row("f", remembered), [four]), [
    `  f\n    passed with 4 shards only: ${remembered.file}: ${remembered.name}`,
  ]);
  assert.deepEqual(notPassed(row("f", remembered), [one, growing]), [
    `  f\n    passed with 1 shard and growing only: ${remembered.file}: ${remembered.name}`,
  ]);
  for (const passed of [[], [run("Acks (1 shard)", "another")], [run("Acks (1 shard)", remembered.name, "another")]]) {
    assert.deepEqual(notPassed(row("f", remembered), passed), [
      `  f\n    did not pass: ${remembered.file}: ${remembered.name}`,
    ]);
  }
  assert.deepEqual(notPassed(row("f", cache("zero")), [{ name: "zero" }]), []);
  assert.equal(notPassed(row("f", cache("zero")), [{ name: "one" }]).length, 1);
});

test("a suite may be asked for, and names may have places to fill", () => {
  const named = testsOf("t.mjs", "Client")("is reported (${what})");
  const run = (suite, name) => ({ file: "t.mjs", suites: [suite], name });
  assert.deepEqual(
    notPassed(row("f", named), [
      run("Client (1 shard)", "is reported (a)"),
      run("Client (4 shards)", "is reported (b)"),
    ]),
    [],
  );
  assert.equal(
    notPassed(row("f", named), [
      run("Client 1.1 (1 shard)", "is reported (a)"),
      run("Client 1.1 (4 shards)", "is reported (a)"),
    ]).length,
    1,
  );
});

test("only passed tests are recorded, with their file and suites", async () => {
  const event = (type, name, nesting, more = {}) =>
    /** @type {import("node:test/reporters").TestEvent} */ ({
      type,
      data: { name, nesting, file: at("tests", "t.mjs"), details: {}, ...more },
    });
  const events = [
    event("test:start", "Suite (1 shard)", 0),
    event("test:start", "inner", 1),
    event("test:start", "good", 2),
    event("test:pass", "good", 2),
    event("test:start", "bad", 2),
    event("test:fail", "bad", 2),
    event("test:start", "left out", 2),
    event("test:pass", "left out", 2, { skip: true }),
    event("test:pass", "inner", 1, { details: { type: "suite" } }),
    event("test:start", "alone", 0),
    event("test:pass", "alone", 0),
  ];
  const lines = [];
  for await (const line of report(events)) lines.push(JSON.parse(line));
  assert.deepEqual(lines, [
    { file: "tests/t.mjs", suites: ["Suite (1 shard)", "inner"], name: "good" },
    { file: "tests/t.mjs", suites: [], name: "alone" },
  ]);
});

test("the document counts its rows and links the tests", () => {
  const rows = [
    row("good", remembered),
    differs("odd", "another way", cache("zero_and_one")),
    missing("bad", "Not built."),
  ];
  const areas = [
    { title: "Area", rows },
    { title: "Acks", sources: ["docs/spec/client.md#acks"], rows },
    { title: "Both", sources: ["docs/spec/client.md#names", "docs/spec/rest.md#filters"], rows },
  ];
  const text = documentOf(areas, [{ name: "p", version: "1", suite: "tests/sdk/p.test.mjs" }]);
  for (const line of [
    "| ❌ | not there | 3 |",
    "| `p` | 1 | [p.test.mjs](tests/sdk/p.test.mjs) |",
    "## Area",
    "## [Acks](docs/spec/client.md#acks)",
    "## [Both](docs/spec/client.md#names)",
    "Also: [rest.md#filters](docs/spec/rest.md#filters).",
    `| good | ✅ | [clients/acks](tests/e2e/clients/acks.test.mjs): ${remembered.name} |`,
    "| odd<br>*another way* | ⚠ | [ack](crates/webpubsub-shard/src/ack.rs): zero and one |",
    "| bad<br>*Not built.* | ❌ |  |",
  ]) {
    assert.ok(text.split("\n").includes(line), line);
  }
});

test("versions come from where they are pinned", () => {
  const [client] = versionsOf([{ name: "@azure/web-pubsub-client" }]);
  assert.equal(
    client.version,
    JSON.parse(readFileSync(at("package.json"), "utf8")).devDependencies["@azure/web-pubsub-client"],
  );
  assert.match(versionsOf([{ name: "azure-messaging-webpubsubservice" }])[0].version, /^\d+\.\d+\.\d+$/);
  assert.throws(() => versionsOf([{ name: "nothing" }]), /No version of nothing/);
});

test("a row that claims something names a test", () => {
  assert.throws(() => row("f"), /No test is named for: f/);
  assert.throws(() => differs("f", "d"), /No test is named for: f/);
});
