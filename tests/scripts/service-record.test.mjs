// Which service runs where: what is kept of it, by several services at once.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "../../scripts/paths.mjs";
import { forget, record, runningService } from "../../scripts/service/record.mjs";

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
