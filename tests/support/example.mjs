// An example of `examples/`, started by the commands of its own README. Only the state folder and the port are others, and
// the access key comes from the environment.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe } from "node:test";
import { launchChromium } from "./browser.mjs";
import { present } from "./found.mjs";
import { freePort } from "./port.mjs";
import { root, Service } from "./service.mjs";
import { Shell } from "./shell.mjs";

/** @import { Browser } from "playwright-core" */

/**
 * The commands of a README, block by block.
 * @param {string} name
 */
function commandsOf(name) {
  const text = readFileSync(path.join(root, "examples", name, "README.md"), "utf8");
  return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, commands]) => commands.trim());
}

export class Example {
  #service;
  /** @type {Shell | undefined} */
  #shell;
  name;
  port = 0;

  /**
   * @param {Service} service
   * @param {string} name
   */
  constructor(service, name) {
    this.#service = service;
    this.name = name;
  }

  /** Its lines, after the one that says where it is. */
  get lines() {
    return present(this.#shell, `the example ${this.name}`).lines;
  }

  /** Starts it by the second command of its README: the first is the service. Done when it says where it is. */
  async start() {
    const [first, second] = commandsOf(this.name);
    assert.equal(first, "npm start");
    this.port = await freePort();
    this.#shell = this.type(second);
    while (!(await this.lines.next(`where the example ${this.name} is`)).includes(`http://localhost:${this.port}`));
    return this;
  }

  get url() {
    return `http://localhost:${this.port}/`;
  }

  /**
   * Types a command of the README, which has to be there.
   * @param {string} command
   */
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

/**
 * Describes an example that has a page: `define` is given the example and its service, both running by the time that
 * tests run, and a function that says which browser looks at it. `prepare` goes first.
 * @param {string} name
 * @param {(its: { service: Service, example: Example, browser: () => Browser }) => void} define
 * @param {() => Promise<void>} prepare
 */
export function describeExample(name, define, prepare = async () => {}) {
  describe(`The example ${name}`, () => {
    const service = new Service({ runner: "start" });
    const example = new Example(service, name);
    /** @type {Browser | undefined} */
    let browser;
    before(async () => {
      await prepare();
      await service.start();
      await example.start();
      browser = await launchChromium();
    });
    after(async () => {
      await browser?.close();
      await example.stop();
      await service.stop();
    });
    define({ service, example, browser: () => present(browser, "the browser") });
  });
}
