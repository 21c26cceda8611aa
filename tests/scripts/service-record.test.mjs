// Which service runs where: what is kept of it, by several services at once.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "../../scripts/paths.mjs";
import { checkFolder, claim, forget, record, runningService } from "../../scripts/service/record.mjs";

/** More than a process's id can be. */
const NO_PROCESS = 2 ** 30;
/** A port that no service listens at. */
const PORT = "0";

test("a record leaves alone what another service is writing", (t) => {
  const state = mkdtempSync(join(tmpdir(), "state-"));
  const folder = join(build, ".services");
  mkdirSync(folder, { recursive: true });
  const [written, abandoned, gone] = [`${PORT}.${process.ppid}`, `${PORT}.${NO_PROCESS}`, PORT].map((name) =>
    join(folder, name),
  );
  t.after(() => [state, written, abandoned, gone].forEach((path) => rmSync(path, { recursive: true, force: true })));
  // Nothing is in a file before it is written.
  for (const file of [written, abandoned]) writeFileSync(file, "");
  writeFileSync(gone, join(state, "gone"));

  record(state, [], { command: "npm run serve" });
  assert.equal(runningService(state)?.pid, process.pid);
  assert.deepEqual([written, abandoned, gone].map(existsSync), [true, false, false]);
  forget(state);
  assert.equal(runningService(state), undefined);
});

test("a state folder that cannot be is said, with what to do", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "state-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "file");
  writeFileSync(file, "");
  const message = (state) =>
    new RegExp(`^The state folder ${state} cannot be used \\(E\\w+\\)\\. .*take another: --state DIR\\.$`);
  for (const state of [file, join(file, "below")]) {
    assert.throws(() => checkFolder(state), { exitCode: 2, message: message(state) });
    await assert.rejects(claim(state, "npm run serve"), { exitCode: 2, message: message(state) });
  }
  for (const state of [folder, join(folder, "new", "newer")]) checkFolder(state);
  assert.equal(existsSync(join(folder, "new")), false);
});
