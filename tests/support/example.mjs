// An example of `examples/`, started by the commands of its own README. Only the state folder and the port are others, and
// the access key comes from the environment.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { freePort, root } from "./service.mjs";
import { Shell } from "./shell.mjs";

/** The commands of a README, block by block. */
export function commandsOf(name) {
  const text = readFileSync(path.join(root, "examples", name, "README.md"), "utf8");
  return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, commands]) => commands.trim());
}

export class Example {
  #service;
  #shell;
  name;
  port = 0;
  /** Its lines, after the one that says where it is. */
  lines;

  constructor(service, name) {
    this.#service = service;
    this.name = name;
  }

  /** Starts it by the second command of its README: the first is the service. Done when it says where it is. */
  async start() {
    const [first, second] = commandsOf(this.name);
    assert.equal(first, "npm start");
    this.port = await freePort();
    this.#shell = this.type(second);
    this.lines = this.#shell.lines;
    while (!(await this.lines.next(`where the example ${this.name} is`)).includes(`http://localhost:${this.port}`));
    return this;
  }

  get url() {
    return `http://localhost:${this.port}/`;
  }

  /** Types a command of the README, which has to be there. */
  type(command) {
    assert.ok(commandsOf(this.name).includes(command), `the README has no ${command}`);
    return new Shell(command.replace("run example -- ", `run example -- --state ${this.#service.state} `), {
      PORT: String(this.port),
      WEBPUBSUB_ACCESS_KEY: this.#service.key,
      WEBPUBSUB_CONNECTION_STRING: "",
    });
  }

  async stop() {
    await this.#shell?.stop();
  }
}
