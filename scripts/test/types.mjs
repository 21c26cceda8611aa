// Type checks: the worker's TypeScript, its tests and the bench's workers for the platform, the page's scripts for browsers, every
// script and test for Node, and the examples with the package that they use.
import { at, npmBin, root } from "../paths.mjs";
import { run } from "../processes.mjs";
import { Problem } from "../terminal.mjs";

/** No file has a type error; the examples apart, which need the package. */
export const checkTypes = () =>
  check([
    at("worker", "js"),
    at("tests", "worker"),
    at("www", "src"),
    root,
    at("tests"),
    at("tests", "support"),
    at("bench", "contenders", "workers"),
  ]);

/** No example has a type error, with the declarations of the package as it was built. */
export const checkExamples = () => check([at("examples")]);

/** @param {string[]} projects */
async function check(projects) {
  /** @type {string[]} */
  const errors = [];
  for (const project of projects) {
    const done = run(npmBin("tsc"), ["--project", project, "--pretty", "false"], { cwd: root, failure: "tsc" });
    const output = await done.then(() => "").catch((error) => error.output ?? Promise.reject(error));
    if (output !== "") errors.push(output.trimEnd());
  }
  if (errors.length > 0) throw new Problem(errors.join("\n"));
}
