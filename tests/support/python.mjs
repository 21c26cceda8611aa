// The Python that the set-up prepared, with Microsoft's service SDK in it.
import { spawn } from "node:child_process";
import path from "node:path";
import { root } from "./service.mjs";
import { within } from "./waiting.mjs";

const python = path.join(root, ".tools", "venv", "bin", "python");

/** Runs a script with arguments, fails unless it ends well, and returns what it printed as JSON. */
export async function runPython(script, args, env = {}) {
  const child = spawn(python, [script, ...args], { env: { ...process.env, ...env } });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const ended = new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  const code = await within(ended, `the end of ${path.basename(script)}`);
  if (code !== 0) throw new Error(`${path.basename(script)} ended with ${code}:\n${err}`);
  return JSON.parse(out);
}
