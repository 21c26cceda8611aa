// Type checks: the worker's TypeScript and the bench's workers for the platform, and every script and test for Node.
import { at, npmBin, root } from "../paths.mjs";
import { run } from "../processes.mjs";
import { Problem } from "../terminal.mjs";

/** No file has a type error. */
export async function checkTypes() {
  const errors = [];
  for (const project of [at("worker", "js"), root, at("tests"), at("bench", "contenders", "workers")]) {
    const check = run(npmBin("tsc"), ["--project", project, "--pretty", "false"], { cwd: root, failure: "tsc" });
    const output = await check.then(() => "").catch((error) => error.output ?? Promise.reject(error));
    if (output !== "") errors.push(output.trimEnd());
  }
  if (errors.length > 0) throw new Problem(errors.join("\n"));
}
