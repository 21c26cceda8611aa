// What decides whether something is built again, and what is left out of the download.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { after, test } from "node:test";
import { crateFolders, filesUnder, fingerprint } from "../../scripts/build/inputs.mjs";
import { numberedLocals } from "../../scripts/build/locals.mjs";
import { chain, namedByLikeness } from "../../scripts/build/order.mjs";
import { npmBin } from "../../scripts/paths.mjs";
import { run } from "../../scripts/processes.mjs";
import { codeBodies, imports, sections, shortened } from "../../scripts/build/wasm.mjs";

const folder = mkdtempSync(join(tmpdir(), "inputs-"));
after(() => rmSync(folder, { recursive: true }));

function write(path, content = "") {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), content);
}

test("sources are files, not what was installed, made or hidden", () => {
  for (const path of ["b.rs", "a/c.rs", "node_modules/x.js", "target/y", ".git/z"]) write(path);
  assert.deepEqual(
    filesUnder(folder).map((file) => relative(folder, file)),
    ["a/c.rs", "b.rs"],
  );
  assert.deepEqual(
    filesUnder(join(folder, "nowhere"), join(folder, "b.rs")).map((file) => basename(file)),
    ["b.rs"],
  );
});

test("a file not made yet has a fingerprint, and another once made", () => {
  const file = join(folder, "made-later");
  const before = fingerprint([file]);
  write("made-later", "1");
  assert.notEqual(fingerprint([file]), before);
});

test("a fingerprint depends on content, name and what is given", () => {
  write("one", "1");
  const before = fingerprint([join(folder, "one")], "tool 1");
  assert.equal(fingerprint([join(folder, "one")], "tool 1"), before);
  assert.notEqual(fingerprint([join(folder, "one")], "tool 2"), before);
  write("two", "1");
  assert.notEqual(fingerprint([join(folder, "two")], "tool 1"), before);
  write("one", "2");
  assert.notEqual(fingerprint([join(folder, "one")], "tool 1"), before);
});

test("a crate's inputs are what it is built on, not what tests it", () => {
  const names = (crate) =>
    crateFolders(crate)
      .map((path) => basename(path))
      .sort();
  assert.deepEqual(names("crates/webpubsub-protocol"), ["webpubsub-protocol"]);
  const rules = ["auth", "mqtt", "protocol", "service", "shard", "store"].map((name) => `webpubsub-${name}`);
  assert.deepEqual(names("worker"), [...rules, "worker"]);
});

// (module (func (export "f"))) with a name section.
const module = Buffer.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
  ...[0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b],
  ...[0x00, 0x0b, 0x04, 0x6e, 0x61, 0x6d, 0x65, 0x01, 0x04, 0x01, 0x00, 0x01, 0x66],
]);

test("a wasm module's sections are distinguished", () => {
  assert.deepEqual(
    sections(module).map(({ name, content }) => [name, content.length]),
    [
      ["type", 4],
      ["function", 2],
      ["export", 5],
      ["code", 4],
      ["custom name", 11],
    ],
  );
  assert.deepEqual(sections(Buffer.from("no wasm at all")), []);
});

// Imports of every kind, from two modules.
const importing = Buffer.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x02, 0x23, 0x05],
  ...[0x01, 0x61, 0x01, 0x66, 0x00, 0x00],
  ...[0x01, 0x61, 0x01, 0x74, 0x01, 0x70, 0x01, 0x00, 0x01],
  ...[0x01, 0x61, 0x01, 0x6d, 0x02, 0x00, 0x01],
  ...[0x01, 0x61, 0x01, 0x67, 0x03, 0x7f, 0x00],
  ...[0x01, 0x62, 0x00, 0x00, 0x00],
]);
const imported = (module) =>
  WebAssembly.Module.imports(new WebAssembly.Module(module)).map(({ module: from, name }) => `${from}.${name}`);

test("every kind of import is read", () => {
  assert.deepEqual(imports(importing), ["a.f", "a.t", "a.m", "a.g", "b."]);
  assert.deepEqual(imports(importing), imported(importing));
});

test("every kind of import can be renamed, and keeps its module", () => {
  const long = "g".repeat(300);
  const renamed = shortened(importing, { f: "ff", t: "", m: "é", g: long, a: "x" });
  assert.deepEqual(imported(renamed), ["a.ff", "a.", "a.é", `a.${long}`, "b."]);
});

test("shorter names, or none of functions, make the same module", async () => {
  const smaller = shortened(module, { f: "" });
  assert.deepEqual(
    sections(smaller).map(({ name }) => name),
    ["type", "function", "export", "code"],
  );
  const { instance } = await WebAssembly.instantiate(smaller);
  assert.equal(instance.exports[""](), undefined);
});

test("the longest function comes first, each after its like", () => {
  const bodies = ["shared words", "another thing", "many more shared words", "some other thing"].map((text) =>
    Buffer.from(text),
  );
  assert.deepEqual(chain(bodies), [2, 0, 1, 3]);
  assert.deepEqual(chain([]), []);
});

// Imports of a function and a global, and three functions: one returns 1, the next its sum with the last one's 2.
const calling = Buffer.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f],
  ...[0x02, 0x0e, 0x02, 0x01, 0x61, 0x01, 0x66, 0x00, 0x00, 0x01, 0x61, 0x01, 0x67, 0x03, 0x7f, 0x00],
  ...[0x03, 0x04, 0x03, 0x00, 0x00, 0x00],
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x02],
  ...[
    0x0a, 0x13, 0x03, 0x04, 0x00, 0x41, 0x01, 0x0b, 0x07, 0x00, 0x10, 0x01, 0x10, 0x03, 0x6a, 0x0b, 0x04, 0x00, 0x41,
    0x02, 0x0b,
  ],
]);

test("functions in another order call the same functions", async () => {
  assert.deepEqual(
    codeBodies(calling).bodies.map((body) => body.length),
    [4, 7, 4],
  );
  const wasm = join(folder, "calling.wasm");
  writeFileSync(wasm, namedByLikeness(calling));
  await run(npmBin("wasm-opt"), [wasm, "-O0", "--reorder-functions-by-name", "-o", wasm]);
  const ordered = readFileSync(wasm);
  assert.deepEqual(
    codeBodies(ordered).bodies.map((body) => body.length),
    [7, 4, 4],
  );
  const { instance } = await WebAssembly.instantiate(ordered, { a: { f: () => 0, g: 0 } });
  assert.equal(instance.exports.f(), 3);
});

/** Two functions that are the same but for the numbers of their locals. */
const alike = `(module (memory 1)
  ${["first", "second"]
    .map(
      (name) => `(func (export "${name}") (param $n i32) (result i64)
      ${name === "first" ? "(local $at i32) (local $step i32)" : "(local $step i32) (local $at i32)"} (local $sum i64)
      (local.set $at (i32.const 300))
      (local.set $step (i32.add (i32.const 70000) (local.get $at)))
      (loop $again
        (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_s (local.get $step))))
        (i64.store offset=8 (local.get $at) (local.get $sum))
        (block $one (block $two (br_table $one $two (i32.and (local.get $n) (i32.const 1))))
          (memory.copy (i32.const 0) (local.get $at) (local.get $at)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (select (i64.load offset=8 (local.get $at)) (i64.const -5) (memory.size)))`,
    )
    .join("\n")})`;

test("like functions have like locals, which say what they said", async () => {
  const [text, wasm] = ["alike.wat", "alike.wasm"].map((name) => join(folder, name));
  writeFileSync(text, alike);
  await run(npmBin("wasm-opt"), [text, "--all-features", "-o", wasm]);
  const before = readFileSync(wasm);
  const after = numberedLocals(before);
  const areEqual = (module) => {
    const [first, second] = codeBodies(module).bodies;
    return first?.equals(second);
  };
  assert.deepEqual([before, after].map(areEqual), [false, true]);
  const [old, anew] = await Promise.all([before, after].map((module) => WebAssembly.instantiate(module)));
  /** @returns {any} */
  const exports = ({ instance }) => instance.exports;
  for (const name of ["first", "second"]) {
    for (const count of [1, 2, 9]) {
      assert.equal(exports(anew)[name](count), exports(old)[name](count), `${name} ${count}`);
    }
  }
});

test("a block that catches exceptions is read", async () => {
  const [text, wasm] = ["catching.wat", "catching.wasm"].map((name) => join(folder, name));
  const blocks = "(block $end (try_table (catch_all $end) (block $value (try_table (catch $t $value) (throw $t)))))";
  writeFileSync(text, `(module (tag $t) (func (local i32) ${blocks} (local.set 0 (i32.const 1))))`);
  await run(npmBin("wasm-opt"), [text, "--all-features", "-o", wasm]);
  const module = readFileSync(wasm);
  assert.deepEqual(numberedLocals(module), module);
});

test("an instruction that is not known is not taken for another", async () => {
  const [text, wasm] = ["unknown.wat", "unknown.wasm"].map((name) => join(folder, name));
  writeFileSync(text, "(module (memory 1 1 shared) (func (atomic.fence)))");
  await run(npmBin("wasm-opt"), [text, "--all-features", "-o", wasm]);
  assert.throws(() => numberedLocals(readFileSync(wasm)), /not known: 254/);
});
