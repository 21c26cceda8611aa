// The check of the lengths of tests' names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkTestNames, lengthOf, namesIn } from "../../scripts/test/names.mjs";

test("Rust's tests are found, also in a runtime and as properties", () => {
  const text = `
#[test]
fn one() {}
#[tokio::test(start_paused = true)]
#[ignore]
async fn two() {}
fn helper(text: &str) {}
proptest! {
    #[test]
    fn three(number in 0..3) {}
}
#[wasm_bindgen_test]
async fn four() {}`;
  assert.deepEqual(new Set(namesIn("a.rs", text)), new Set(["one", "two", "three", "four"]));
});

test("JavaScript's tests and suites are found in any quotes", () => {
  const text =
    "test(\"a 'b'\", () => {}); t.test('c', run); describe(`d ${e.f}`, () => {}); test(\n  \"g\",\n  { skip },);";
  assert.deepEqual(namesIn("a.mjs", text), ["a 'b'", "c", "d ${e.f}", "g"]);
  assert.deepEqual(namesIn("a.mjs", 'assert.ok(/x/.test("a name")); forEachShardCount("Acks", define)'), ["Acks"]);
});

test("a place to be filled in and an escaped letter count as one", () => {
  assert.equal(lengthOf("a ${kind.name} b"), 5);
  assert.equal(lengthOf('a \\"b\\"'), 5);
});

test("no name of this tree's tests is too long", checkTestNames);
