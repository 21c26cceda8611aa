// The emulator in tests that are written in Python.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { after, test } from "node:test";
import { at } from "../../../scripts/paths.mjs";
import { Installed } from "./installed.mjs";

const built = Installed.built();
after(() => built.remove());

function python(program) {
  const command = [process.execPath, path.join(built.package, "bin", "webpubsub-edge.mjs")];
  const setUp = `import sys, urllib.request\nsys.path.insert(0, sys.argv[1])\nfrom webpubsub_edge import emulator\ncommand = sys.argv[2:]\n`;
  return spawnSync("python3", ["-B", "-c", setUp + program, at("packages", "python"), ...command], {
    cwd: built.project,
    encoding: "utf8",
  });
}

test("Python starts the emulator and ends it", () => {
  const { status, stdout, stderr } = python(`
with emulator(command=command, hubs={"h": {"shards": 2}}, variables={"RECOVERY_WINDOW_SECONDS": 5}) as service:
    url = service.endpoint + "/"
    print(urllib.request.urlopen(url).status, service.connection_string == f"Endpoint={service.endpoint};AccessKey={service.access_key};Version=1.0;")
try:
    urllib.request.urlopen(url)
except OSError:
    print("ended")
`);
  assert.deepEqual([status, stdout, stderr], [0, "200 True\nended\n", ""]);
});

test("Python says what the emulator said where it does not start", () => {
  const { status, stderr } = python(`
with emulator(command=command, variables={"NOPE": 1}):
    pass
`);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /RuntimeError: The emulator ended with exit code 2 before it was ready\.\nThere is no variable NOPE\./,
  );
});
