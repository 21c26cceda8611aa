// A Python of the project's own with the service's official SDKs, for the tests.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.mjs";
import { ask, run } from "../processes.mjs";
import { at as inProject, tools } from "../paths.mjs";
import { Problem } from "../terminal.mjs";
import { python } from "../toolchain.mjs";
import * as apt from "./apt.mjs";

/** @import { Progress } from "../terminal.mjs" */

const venv = join(tools, "venv");
const requirements = inProject("tests", "requirements.txt");
const stampFile = join(venv, "installed");
const stamp = () => createHash("sha256").update(readFileSync(requirements)).update(venv).digest("hex");

export const pythonSdks = {
  name: "Python and the service's SDKs for it",

  isThere: () =>
    existsSync(python) &&
    existsSync(stampFile) &&
    readFileSync(stampFile, "utf8") === stamp() &&
    ask(python, ["--version"]) !== undefined,

  /** @param {Progress} at */
  async install(at) {
    rmSync(venv, { recursive: true, force: true });
    try {
      await run("python3", ["-m", "venv", venv]);
    } catch (error) {
      if (!apt.canInstall()) {
        throw new Problem(
          `Python 3.10 or newer with its venv module is needed for the tests. On Debian: ${apt.command(["python3-venv"])}\n${messageOf(error)}`,
        );
      }
      await apt.install(["python3", "python3-venv"], at);
      await run("python3", ["-m", "venv", venv]);
    }
    at("pip install");
    await run(python, [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-input",
      "--disable-pip-version-check",
      "-r",
      requirements,
    ]);
    writeFileSync(stampFile, stamp());
  },
};
