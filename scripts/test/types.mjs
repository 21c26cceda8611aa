// Type checks: the worker's TypeScript for the platform, and every script and test for Node.
import { npmBin, root, at } from "../paths.mjs";
import { run } from "../processes.mjs";
import { Problem } from "../terminal.mjs";

/**
 * Files, or folders, that are checked and do not pass: what a file has to get rid of before it leaves this list. A file
 * or a folder that passes may not stay on it.
 */
const UNTYPED = ["bench/", "tests/chaos/", "tests/support/"];

/** No file has a type error, but for those that are known to have some. */
export async function checkTypes() {
  const errors = [];
  for (const project of [at("worker", "js"), root]) errors.push(...(await errorsOf(project)));
  const isUntyped = (line) => UNTYPED.some((path) => line.startsWith(path));
  const wrong = errors.filter((line) => !isUntyped(line));
  if (wrong.length > 0) throw new Problem(wrong.join("\n"));
  const typed = UNTYPED.filter((path) => !errors.some((line) => line.startsWith(path)));
  if (typed.length > 0) throw new Problem(`${typed.join(", ")}: has no type errors, and leaves the list in scripts/test/types.mjs.`);
}

/** The compiler's errors, a line each, which begins with the file. */
async function errorsOf(project) {
  const args = ["--project", project, "--pretty", "false"];
  const output = await run(npmBin("tsc"), args, { cwd: root, failure: "tsc" }).catch((error) => {
    if (error.output === undefined) throw error;
    return error.output;
  });
  return output.split("\n").filter((line) => /^\S.*\(\d+,\d+\): error /.test(line));
}
