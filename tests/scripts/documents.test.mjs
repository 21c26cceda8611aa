// The check of what the code cites and documents link.
import assert from "node:assert/strict";
import { test } from "node:test";
import { anchorsOf, brokenLinks, judgeSources, missingNames, missingPaths } from "../../scripts/test/documents.mjs";

test("headings have the anchors that GitHub gives them", () => {
  const markdown =
    "# A page\n## `code` & more, 6.3\n```sh\n# no heading\n```\n## Acks\n### Acks\n## [Linked](x.md#y) ##\n";
  assert.deepEqual(anchorsOf(markdown), ["a-page", "code--more-63", "acks", "acks-1", "linked"]);
});

const page = { path: "docs/spec/client.md", text: "# Client protocol\n## Acks\n## Names\n" };
const judge = (text, path = "crates/a/src/lib.rs") => judgeSources([page, { path, text }]);

test("a source is a section that is there", () => {
  const cited =
    "/// Source: docs/spec/client.md#acks, docs/spec/client.md#names.\n//! Source: docs/spec/client.md#client-protocol\n";
  assert.deepEqual(judge(cited), { wrong: [], uncited: [] });
  assert.deepEqual(judge("x\n    /// Source: client spec, section 6.3.\n").wrong, [
    "crates/a/src/lib.rs:2: a Source: names no section of docs/spec/",
  ]);
  assert.deepEqual(judge("// Source: docs/spec/client.md#none\n").wrong, [
    "crates/a/src/lib.rs: there is no docs/spec/client.md#none",
  ]);
  assert.deepEqual(judge('{"source": "docs/spec/client.md#none"}', "tests/vectors/v.json").wrong.length, 1);
  assert.deepEqual(judge("let source = Source::Given;\n").wrong, []);
});

test("a section that nothing cites is found", () => {
  assert.deepEqual(judge("/// Source: docs/spec/client.md#acks\n").uncited, ["docs/spec/client.md#names"]);
});

test("links lead to files and sections that are there", () => {
  const links = (text) =>
    brokenLinks([page, { path: "docs/a.md", text }], (path) =>
      ["docs/a.md", "docs/spec", "docs/spec/client.md", "README.md"].includes(path),
    );
  const good =
    "[a](spec/client.md#acks) [b](../README.md) [c](https://x.y/z#q) [d](#a) [e](spec/)\n# A\n`[no](link)`\n[ref]: spec/client.md\n";
  assert.deepEqual(links(good), []);
  for (const link of ["spec/none.md", "spec/client.md#none", "#b", "../docs/b.md"]) {
    assert.deepEqual(links(`# A\n[x](${link})`), [`docs/a.md: ${link} leads nowhere`]);
  }
  assert.deepEqual(links("[ref]: none.md\n"), ["docs/a.md: none.md leads nowhere"]);
});

test("what documents say is in a file is defined there", () => {
  const tree = [
    {
      path: "A.md",
      text: "`Shard::handle` and `Gone` in `crates/x/a.rs`, `of` in `crates/x`, `said` in `crates/none.rs`",
    },
    { path: "crates/x/a.rs", text: "impl Shard { pub fn handle() { Gone } }" },
    { path: "crates/x/b.rs", text: "fn of() {}" },
  ];
  assert.deepEqual(missingNames(tree), ["A.md: there is no Gone in crates/x/a.rs"]);
});

test("paths that documents name in code are there", () => {
  const tree = [{ path: "A.md", text: "`worker/src/lib.rs`, `crates/x/none.rs`, `crates/*/src`, worker/none" }];
  assert.deepEqual(
    missingPaths(tree, (path) => path === "worker/src/lib.rs"),
    ["A.md: there is no crates/x/none.rs"],
  );
});
