// The Rust client on tokio against the real service: `crates/webpubsub/tests/service.rs`, a test for each of its own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { nativeEnv } from "../../../scripts/toolchain.mjs";
import { run } from "../../../scripts/processes.mjs";
import { root, Service } from "../../support/service.mjs";

const source = readFileSync(path.join(root, "crates/webpubsub/tests/service.rs"), "utf8");
const names = [...source.matchAll(/async fn (the_rust_client_\w+)/g)].map(([, name]) => name);

for (const shards of [1, 4]) {
  describe(`the Rust client (${shards} ${shards === 1 ? "shard" : "shards"})`, () => {
    const service = new Service({ shards, https: true });
    let output = "";
    before(async () => {
      await service.start();
      const args = ["test", "--locked", "-p", "webpubsub", "--features", "service-tests", "--test", "service"];
      const env = {
        ...nativeEnv(),
        WEBPUBSUB_TEST_CONNECTION_STRING: service.connectionString,
        WEBPUBSUB_TEST_SECURE: service.secureConnectionString,
        WEBPUBSUB_TEST_AUTHORITY: service.authority,
      };
      const onOutput = (text) => {
        output += text;
      };
      // What failed is reported by the tests below.
      await run("cargo", [...args, "--no-fail-fast"], { cwd: root, env, onOutput }).catch(() => {});
    });
    after(() => service.stop());

    for (const name of names)
      test(name.replace("the_rust_client_", "").replaceAll("_", " "), () => {
        assert.ok(output.includes(`test ${name} ... ok\n`), output);
      });
  });
}
