// Commands as a person types them, in the project's folder.
import { ended, kill, start } from "./processes.mjs";
import { root } from "./service.mjs";
import { Queue, within } from "./waiting.mjs";

const LIMIT_MS = 300_000;

/** A shell that runs the commands and stops at the first that fails; `lines` holds what they print. */
export class Shell {
  #child;
  #ended;
  #output = "";
  /** @type {Queue<string>} */
  lines = new Queue();

  /**
   * @param {string} commands
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(commands, env = {}) {
    this.#child = start("bash", ["-ec", commands], {
      cwd: root,
      env: { ...process.env, ...env },
      onOutput: (text) => (this.#output += text),
    });
    let rest = "";
    this.#child.stdout.on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.lines.push(line);
    });
    this.#ended = ended(this.#child);
    this.#ended.then((code) => this.lines.fail(new Error(`the shell ended with ${code}:\n${this.#output}`)));
  }

  /** Waits for the end, which must be a good one. */
  async done() {
    const code = await within(this.#ended, "the end of a shell", LIMIT_MS);
    if (code !== 0) throw new Error(`the shell ended with ${code}:\n${this.#output}`);
  }

  async stop() {
    kill(this.#child);
    await this.#ended;
  }
}
