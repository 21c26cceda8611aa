// The linker of the worker and the clients: what it leaves out, however its arguments come.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { at } from "../../scripts/paths.mjs";

const folder = mkdtempSync(join(tmpdir(), "link ing-"));
after(() => rmSync(folder, { recursive: true }));

const IMPORT = "__wbg_called_1";
/** (module (import "m" "__wbg_called_1" (func))) */
const module = Buffer.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x02, IMPORT.length + 6, 0x01, 0x01, 0x6d, IMPORT.length, ...Buffer.from(IMPORT), 0x00, 0x00],
]);

const log = join(folder, "log");
const linker = join(folder, "linker.mjs");
writeFileSync(
  linker,
  `#!${process.execPath}
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
const words = (text) => text.match(/(?:\\\\.|[^\\s\\\\])+/g).map((word) => word.replaceAll(/\\\\(.)/g, "$1"));
const args = process.argv.slice(2).flatMap((arg) =>
  arg.startsWith("@") ? words(readFileSync(arg.slice(1), "utf8")) : [arg]);
appendFileSync(${JSON.stringify(log)}, JSON.stringify(args) + "\\n");
writeFileSync(args[args.indexOf("-o") + 1], Buffer.from("${module.toString("hex")}", "hex"));
`,
);
chmodSync(linker, 0o755);

/** What the linker was run with, each time. */
function linkedWith(args) {
  writeFileSync(log, "");
  const env = { ...process.env, WASM_LINKER: linker };
  const { status, stderr } = spawnSync(process.execPath, [at("scripts", "build", "link.mjs"), ...args], { env });
  assert.equal(status, 0, String(stderr));
  return readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const output = join(folder, "a module.wasm");
const exported = (...names) => names.flatMap((name) => ["--export", name]);
const described = (name) => `__wbindgen_describe_${name}`;
const args = [
  ...exported("used", "r2range_free", described(IMPORT), described("__wbg_other_2")),
  ...["a\\b.o", "-o", output],
];
const expected = [exported("used"), exported("used", described(IMPORT))].map((kept) => [...kept, ...args.slice(-3)]);

test("only exports that something calls are linked", () => {
  assert.deepEqual(linkedWith(args), expected);
});

test("a response file is read, and written again", () => {
  const file = join(folder, "linker-arguments");
  writeFileSync(file, args.map((arg) => `${arg.replaceAll(/[\\ ]/g, "\\$&")}\n`).join(""));
  assert.deepEqual(
    linkedWith(["-flavor", "wasm", `@${file}`]),
    expected.map((kept) => ["-flavor", "wasm", ...kept]),
  );
});
