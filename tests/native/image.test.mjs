// What the native server's image is built from: Docker sees what its list lets through, and nothing else.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { filesUnder } from "../../scripts/build/inputs.mjs";
import { at, root } from "../../scripts/paths.mjs";
import { nativeEnv } from "../../scripts/toolchain.mjs";

const IGNORE = at("packages", "docker", "server.Dockerfile.dockerignore");

/** The files of the project that the list lets through: it keeps everything out, and then takes some back. */
function context() {
  const [everything, ...lines] = readFileSync(IGNORE, "utf8").trim().split("\n");
  assert.equal(everything, "*");
  const taken = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const names = taken.flatMap((name) => (name === "Cargo.*" ? ["Cargo.toml", "Cargo.lock"] : [name]));
  return filesUnder(...names.map((name) => at(name)));
}

test("the image's build has all members of the workspace", (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "webpubsub-image-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const file of context()) cpSync(file, path.join(folder, path.relative(root, file)));
  // Cargo reads the manifest of each, and looks for the sources that it names.
  const options = { cwd: folder, env: nativeEnv(), encoding: /** @type {const} */ ("utf8") };
  const { packages } = JSON.parse(
    execFileSync("cargo", ["metadata", "--locked", "--no-deps", "--format-version=1"], options),
  );
  assert.ok(packages.some(({ name }) => name === "webpubsub-server"));
  // What the server has in it beside Rust.
  for (const { manifest_path } of packages.filter(({ name }) => name === "webpubsub-server"))
    assert.ok(readFileSync(path.join(path.dirname(manifest_path), "../../www/api/openapi.json")).length > 0);
});
