// The examples in Rust on tokio: a subscriber and a publisher, devices and their console.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { nativeEnv } from "../../scripts/toolchain.mjs";
import { run } from "../../scripts/processes.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { Link } from "../support/link.mjs";
import { ended, kill, start } from "../support/processes.mjs";
import { root, Service } from "../support/service.mjs";
import { Queue, within } from "../support/waiting.mjs";

/** A program that runs, and the lines that it prints. */
class Program {
  #lines = new Queue();
  #rest = "";

  constructor(command, args, env = {}) {
    this.child = start(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
      onOutput: (text) => {
        const lines = (this.#rest + text).split("\n");
        this.#rest = lines.pop() ?? "";
        for (const line of lines) this.#lines.push(line);
      },
    });
    this.gone = ended(this.child);
  }

  /** One of an example's programs, as cargo has built it. */
  static native(name, args, env) {
    return new Program(path.join(root, "target", "debug", name), args, env);
  }

  /** The next line that matches; those before it are skipped. */
  async line(pattern) {
    for (;;) {
      const line = await within(this.#lines.next(`a line like ${pattern}`), `a line like ${pattern}`);
      const match = pattern.exec(line);
      if (match) return match;
    }
  }

  write(line) {
    this.child.stdin.write(`${line}\n`);
  }

  stop() {
    kill(this.child);
  }
}

describe("Examples in Rust", () => {
  const service = new Service();
  const programs = [];
  const native = (...args) => {
    const program = Program.native(...args);
    programs.push(program);
    return program;
  };

  before(async () => {
    await service.start();
    const packages = ["-p", "example-rust-native", "-p", "example-rust-iot"];
    await run("cargo", ["build", "--locked", ...packages], { cwd: root, env: nativeEnv() });
  });
  after(async () => {
    for (const program of programs) program.stop();
    await service.stop();
  });

  test("a subscriber prints what a publisher publishes", async () => {
    const hub = service.newHub();
    const subscriber = native("subscriber", [hub.clientUrl({ roles: ALL_ROLES }), "news"]);
    await subscriber.line(/^listening to news$/);
    const env = { WEBPUBSUB_CONNECTION_STRING: service.connectionString };
    const publisher = native("publisher", [hub.name, "news", "Hello, Rust"], env);
    assert.equal(await within(publisher.gone, "the publisher's end"), 0);
    await subscriber.line(/^a server: Hello, Rust$/);
  });

  test("a device sends over drops, and does what it is asked", async () => {
    const hub = service.newHub();
    const link = await Link.to(service);
    try {
      const console = native("console", [hub.clientUrl({ user: "console", roles: ALL_ROLES })]);
      await console.line(/^watching$/);
      const audience = `${link.endpoint}/client/hubs/${hub.name}`;
      const token = hub.token({ audience, user: "oven", roles: ALL_ROLES });
      const device = native("device", [`${audience.replace("http", "ws")}?access_token=${token}`]);
      await device.line(/^oven is there$/);
      await console.line(/^oven shows \{"every": "1000", "status": "online"\}$/);
      console.write("oven every 20");
      await console.line(/^oven shows \{"every": "20", "status": "online"\}$/);
      const [, first] = await console.line(/^oven (\d+): \d+\.\d+ °C$/);
      for (let number = Number(first) + 1; number <= Number(first) + 100; number++) {
        const [, next] = await console.line(/^oven (\d+): /);
        assert.equal(Number(next), number);
        if (number % 25 === 0) link.cut();
      }
      console.write("oven sample 500");
      await console.line(/^500 samples of stream \w+$/);
      console.write("oven stop");
      await device.line(/^oven has stopped$/);
      assert.equal(await within(device.gone, "the device's end"), 0);
    } finally {
      link.close();
    }
  });
});
