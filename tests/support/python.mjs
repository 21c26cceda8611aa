// The Python that the set-up prepared, with Microsoft's SDKs in it.
import path from "node:path";
import { ended, start } from "./processes.mjs";
import { root } from "./service.mjs";
import { within } from "./waiting.mjs";

const python = path.join(root, ".tools", "venv", "bin", "python");

/**
 * Runs a script with arguments, fails unless it ends well, and returns what it printed as JSON.
 * @param {string} script
 * @param {string[]} args
 * @param {number} [limit] In milliseconds.
 */
export async function runPython(script, args, limit) {
  const child = start(python, ["-B", script, ...args]);
  let [out, errors] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (errors += chunk));
  const code = await within(ended(child), `the end of ${path.basename(script)}`, limit);
  if (code !== 0) throw new Error(`${path.basename(script)} ended with ${code}:\n${errors}`);
  return JSON.parse(out);
}
