// The native server's unit of systemd lets it do what it does, and not much else.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { which } from "../../scripts/processes.mjs";
import { at } from "../../scripts/paths.mjs";
import { GLIBC_TUNABLES } from "../../scripts/service/native.mjs";

const UNIT = at("packages", "systemd", "webpubsub-server.service");
/** As `systemd-analyze security` counts; what the network needs is a part of it. */
const MAX_EXPOSURE = 1.5;

test("systemd finds little that the unit leaves open", { skip: !which("systemd-analyze") && "no systemd" }, (t) => {
  const report = execFileSync("systemd-analyze", ["security", "--offline=true", "--no-pager", UNIT], {
    encoding: "utf8",
  });
  const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(report)?.[1]);
  t.diagnostic(`exposure ${exposure}`);
  assert.ok(exposure <= MAX_EXPOSURE, report);
});

test("unit, image, documents and `npm run server` tune glibc alike", () => {
  for (const file of [UNIT, at("packages", "docker", "server.Dockerfile"), at("docs", "operations.md")])
    assert.ok(readFileSync(file, "utf8").includes(`GLIBC_TUNABLES=${GLIBC_TUNABLES}`), file);
});
