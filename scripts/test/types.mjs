// Type checks: the worker's TypeScript for the platform, and every script and test for Node.
import { readFileSync } from "node:fs";
import { at, npmBin, root } from "../paths.mjs";
import { run } from "../processes.mjs";
import { Problem } from "../terminal.mjs";

/**
 * Files that are checked and do not pass. A file that passes may not stay here, so that the list can only become shorter.
 * @type {string[]}
 */
const UNTYPED = JSON.parse(readFileSync(at("scripts", "test", "untyped.json"), "utf8"));

/** No file has a type error, but for those that are known to have some. */
export async function checkTypes() {
  const errors = [];
  for (const project of [at("worker", "js"), root, at("tests")]) errors.push(...(await errorsOf(project)));
  const isIn = (path, line) => line.startsWith(`${path}(`);
  const wrong = errors.filter((line) => !UNTYPED.some((path) => isIn(path, line)));
  if (wrong.length > 0) throw new Problem(wrong.join("\n"));
  const typed = UNTYPED.filter((path) => !errors.some((line) => isIn(path, line)));
  if (typed.length > 0)
    throw new Problem(`${typed.join(", ")}: has no type errors, and leaves the list in scripts/test/untyped.json.`);
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
