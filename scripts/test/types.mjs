// Type checks: the worker's TypeScript and the bench's workers for the platform, and every script and test for Node.
import { at, npmBin, root } from "../paths.mjs";
import { run } from "../processes.mjs";

/** No file has a type error. */
export async function checkTypes() {
  for (const project of [at("worker", "js"), root, at("tests"), at("bench", "contenders", "workers")])
    await run(npmBin("tsc"), ["--project", project, "--pretty", "false"], { cwd: root, failure: "tsc" });
}
