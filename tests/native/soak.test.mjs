// The short form of `npm run soak`.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ours } from "../../bench/contenders/ours.mjs";
import { buildGenerator } from "../../bench/generator.mjs";
import { lines, problems, soak } from "../../bench/soak.mjs";
import { startServer } from "../../scripts/service/native.mjs";

const SECONDS = 10;

describe("A soak of the native server", { skip: process.platform !== "linux" && "memory is read from /proc" }, () => {
  test("nothing is lost, and its memory stays what it was", async (t) => {
    const generator = await buildGenerator();
    const server = await new Ours(startServer, { dialect: "reliable" }).start();
    t.after(() => server.stop());
    const outcome = await soak(generator, server, SECONDS);
    for (const line of lines(outcome)) t.diagnostic(line);
    assert.deepEqual(problems(outcome), []);
  });
});
