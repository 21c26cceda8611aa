// What the documents have a person type or save is what a test types or saves.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { at, root } from "../../scripts/paths.mjs";
import { documents } from "../support/documents.mjs";

/**
 * What no test of the documents runs: the service itself, which they all start, a deployment, an
 * installation, whose build `npm run server` makes as well, and the benchmarks.
 */
const NOT_RUN = ["npm start\n", "npm run bench -- --quick\n"];
const isElsewhere = (text) => text.startsWith("npx wrangler login\n") || text.startsWith("cargo install ");

const using = (files) => globSync(files, { cwd: root }).map((file) => readFileSync(at(file), "utf8"));

test("every script and command of the documents is run by a test", () => {
  const tests = using("tests/quickstart/*.test.mjs").join("\n");
  const blocks = [...documents().matchAll(/^```(?:sh|js)(?: (\S+))?\n([^]*?)^```$/gm)];
  const notRun = blocks.filter(([, label, text]) => {
    if (label === undefined) return !NOT_RUN.includes(text) && !isElsewhere(text);
    const names = [label, path.basename(label)];
    return !names.some((name) => tests.includes(`"${name}"`));
  });
  assert.deepEqual(
    notRun.map(([, label, text]) => label ?? text),
    [],
  );
});

const examples = globSync("examples/*/package.json", { cwd: root }).map(path.dirname).sort();

test("an example has one port, which no other has", () => {
  const ports = examples.map((folder) => [
    ...new Set(
      using(`${folder}/{README.md,package.json,settings.json,server.js,server.py}`)
        .join("\n")
        .match(/\b300\d\b/g),
    ),
  ]);
  assert.deepEqual(ports.flat().sort(), [...new Set(ports.flat())].sort());
  assert.deepEqual(
    ports.map((its) => its.length),
    examples.map(() => 1),
    ports.join("; "),
  );
});

test("every command of an example's README is run by its test", () => {
  for (const folder of examples) {
    const name = path.basename(folder);
    const file = path.join(folder, "README.md");
    const blocks = [...readFileSync(at(file), "utf8").matchAll(/^```sh\n([^]*?)\n```$/gm)].map(([, text]) => text);
    // `Example` starts it by the first two.
    assert.deepEqual(blocks.slice(0, 2), ["npm start", `npm run example -- ${name}`], file);
    const [itsTest] = using(`tests/examples/${name}.test.mjs`);
    for (const command of blocks.slice(2)) assert.ok(itsTest.includes(`'${command}'`), `${file}: ${command}`);
  }
});
