// Commands as a person types them, in the project's folder.
import { spawn } from "node:child_process";
import { root } from "./service.mjs";
import { Queue, within } from "./waiting.mjs";

const LIMIT_MS = 300_000;

/** A shell that runs the commands and stops at the first that fails; `lines` holds what they print. */
export class Shell {
  #child;
  #output = "";
  #ended;
  lines = new Queue();

  constructor(commands, env = {}) {
    this.#child = spawn("bash", ["-ec", commands], { cwd: root, detached: true, env: { ...process.env, ...env } });
    let rest = "";
    this.#child.stdout.on("data", (chunk) => {
      this.#output += chunk;
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      for (const line of lines) this.lines.push(line);
    });
    this.#child.stderr.on("data", (chunk) => (this.#output += chunk));
    this.#ended = new Promise((resolve, reject) => this.#child.on("error", reject).on("close", resolve));
    this.#ended.then(() => this.lines.fail(new Error(`the shell ended:\n${this.#output}`)));
    process.once("exit", this.#kill);
  }

  /** Waits for the end, which must be a good one. */
  async done() {
    const code = await within(this.#ended, "the end of a shell", LIMIT_MS);
    process.off("exit", this.#kill);
    if (code !== 0) throw new Error(`the shell ended with ${code}:\n${this.#output}`);
  }

  async stop() {
    process.off("exit", this.#kill);
    this.#kill();
    await this.#ended;
  }

  #kill = () => {
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  };
}
