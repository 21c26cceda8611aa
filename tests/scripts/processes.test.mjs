// What a command does when it is asked to end, and asked again; and how it starts others.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { constants, getPriority } from "node:os";
import { test } from "node:test";
import { at } from "../../scripts/paths.mjs";
import { start, stop } from "../../scripts/processes.mjs";

/** The exit code of a command that ends by itself with 7 when it is asked to, after `again` was done. */
function exitCode(again) {
  const program = `
    import { exitOnSignals, onNextSignal } from ${JSON.stringify(at("scripts", "processes.mjs"))};
    exitOnSignals();
    onNextSignal(() => setTimeout(() => process.exit(7), 2_000));
    process.emit("SIGINT");
    ${again}`;
  return spawnSync(process.execPath, ["--input-type=module", "--eval", program]).status;
}

test("a Ctrl-C that comes twice, by terminal and npm, is one", () => {
  assert.equal(exitCode('process.emit("SIGINT");'), 7);
});

test("a second Ctrl-C ends a command at once", () => {
  assert.equal(exitCode('setTimeout(() => process.emit("SIGINT"), 1_000);'), 130);
});

test("a modest program gets what others leave of the machine", async () => {
  const child = start(process.execPath, ["--eval", "setInterval(() => {}, 1_000)"], { isModest: true });
  try {
    assert.equal(getPriority(child.pid), constants.priority.PRIORITY_LOW);
  } finally {
    await stop(child);
  }
});
