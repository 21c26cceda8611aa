// The check for retired words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { areaOf, findRetired, findRunOn, judgeWords, retiredWords } from "../../scripts/test/words.mjs";

const glossary =
  "# Glossary\n| `kept` | x |\n## Retired words\n\n| not | but |\n| --- | --- |\n| `told`, `for so long` | `kept` |\n| `Pace` | x |\n";

test("retired words are those of the glossary's last table", () => {
  assert.deepEqual(retiredWords(glossary), ["told", "for so long", "Pace"]);
  assert.deepEqual(retiredWords(`${glossary}## More\n| \`other\` | x |\n`), ["told", "for so long", "Pace"]);
  assert.throws(() => retiredWords("# Glossary\n"), /Retired words/);
});

const found = (text, path = "crates/a/src/lib.rs") =>
  findRetired({ path, text }, ["told", "hand", "for so long", "Pace"]).map(({ line, word }) => `${line} ${word}`);

test("a retired word is found alone and as a part of a name", () => {
  assert.deepEqual(found("/// Told so.\nfn is_told(record: ToldRecord) {}\n"), ["1 told", "2 told", "2 told"]);
  assert.deepEqual(found("It waits for so long.\n", "README.md"), ["1 for so long"]);
  assert.deepEqual(found("/// Untold stolds.\n"), []);
});

test("a name is found in code only", () => {
  assert.deepEqual(found("let pace = SlowPace::new();\n/// Pace counts.\n"), ["1 Pace"]);
  assert.deepEqual(found("Pace counts.\n", "README.md"), []);
});

test("common phrases and files that say what was are left alone", () => {
  assert.deepEqual(found("// Set by hand, a hand-set clock.\n"), []);
  assert.deepEqual(found("He was told.\n", "CHANGELOG.md"), []);
});

test("an area may have as many retired words as are written down", () => {
  assert.equal(areaOf("crates/a/src/b.rs"), "crates/a");
  assert.equal(areaOf("worker/src/b.rs"), "worker");
  assert.equal(areaOf("README.md"), "README.md");
  const one = [{ path: "crates/a/src/b.rs", line: 3, word: "told" }];
  assert.deepEqual(judgeWords(one, { "crates/a": 1 }), []);
  const [summary, place] = judgeWords(one, {});
  assert.match(summary, /^crates\/a: 1 retired words, and 0 are allowed/);
  assert.equal(place, "  crates/a/src/b.rs:3: told");
  assert.deepEqual(judgeWords([], { "crates/a": 1 }), []);
});

test("a comment that goes on from one item to the next is found", () => {
  const runOn = (text, path = "a.rs") => findRunOn({ path, text });
  const good = "/// One,\n/// and two.\nfn a() {}\n\n/// https://a.example\nfn b() {}\n// lower\n";
  assert.deepEqual(runOn(good), []);
  assert.deepEqual(runOn("/// One,\na: u8,\n    /// and two.\nb: u8,\n"), [
    "a.rs:3: a comment goes on from one item to the next",
  ]);
  assert.deepEqual(runOn("a\n/// and two.\n", "a.md"), []);
});
