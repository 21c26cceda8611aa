// Devices of another language: a program of theirs that carries out lines of JSON, as `devices.py` says.
import path from "node:path";
import { run } from "../../../scripts/processes.mjs";
import { nativeEnv } from "../../../scripts/toolchain.mjs";
import { kill, start } from "../processes.mjs";
import { root } from "../service.mjs";
import { deferred, Queue, within } from "../waiting.mjs";

const python = path.join(root, ".tools", "venv", "bin", "python");
const base64 = (bytes) => Buffer.from(bytes).toString("base64");

/** One client in the program. */
class Device {
  #program;
  #name;
  #left = deferred();
  messages = new Queue();

  constructor(program, name) {
    this.#program = program;
    this.#name = name;
  }

  connect(url, { will, ...options }) {
    this.version = options.version;
    return this.#connected("connect", {
      url,
      ...options,
      ...(will ? { will: { ...will, payload: base64(will.payload) } } : {}),
    });
  }

  reconnect() {
    return this.#connected("reconnect", {});
  }

  #connected(call, options) {
    this.#left = deferred();
    return this.#call(call, options);
  }

  subscribe(topic, options = {}) {
    return this.#call("subscribe", { topic, ...options });
  }

  unsubscribe(topic) {
    return this.#call("unsubscribe", { topic });
  }

  /**
   * @param {string} topic
   * @param {string | Buffer} payload
   * @param {import("./options.d.ts").PublishOptions} options
   */
  publish(topic, payload, { correlation, ...options } = {}) {
    const more = correlation ? { correlation: base64(correlation) } : {};
    return this.#call("publish", { topic, payload: base64(payload), ...options, ...more });
  }

  async disconnect(code) {
    await this.#call("disconnect", code === undefined ? {} : { code });
    await this.left();
  }

  async cut() {
    await this.#call("cut", {});
    await this.left();
  }

  message() {
    return this.messages.next("a PUBLISH");
  }

  left() {
    return within(this.#left.promise, "the end of the connection");
  }

  /** What the program says of this client. */
  said({ message, left }) {
    if (left) this.#left.resolve(left);
    if (!message) return;
    const { payload, correlation, ...more } = message;
    const bytes = (text) => Buffer.from(text, "base64");
    this.messages.push({
      payload: bytes(payload),
      ...(correlation ? { correlation: bytes(correlation) } : {}),
      ...more,
    });
  }

  #call(call, options) {
    return this.#program.call(this.#name, call, options);
  }
}

/** A library whose clients run in a process of their own. */
export class Program {
  #command;
  #args;
  #child;
  #devices = new Map();
  #calls = new Map();
  #errors = "";

  constructor(name, command, args) {
    this.name = name;
    this.#command = command;
    this.#args = args;
  }

  async start() {
    this.#child = start(this.#command, this.#args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr.on("data", (chunk) => (this.#errors += chunk));
    let rest = "";
    this.#child.stdout.setEncoding("utf8").on("data", (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#said(JSON.parse(line));
    });
    this.#child.on("exit", (code) => {
      for (const { reject } of this.#calls.values())
        reject(new Error(`${this.name} ended with ${code}: ${this.#errors}`));
    });
  }

  async stop() {
    if (this.#child) kill(this.#child);
  }

  device() {
    const name = `${this.#devices.size + 1}`;
    const device = new Device(this, name);
    this.#devices.set(name, device);
    return device;
  }

  call(device, call, options) {
    const id = this.#calls.size + 1;
    const answer = deferred();
    this.#calls.set(id, answer);
    this.#child.stdin.write(`${JSON.stringify({ call: id, device, do: call, with: options })}\n`);
    return within(answer.promise, `${this.name}: the end of ${call}`);
  }

  #said({ call, result, error, code, device, ...said }) {
    if (device !== undefined) return this.#devices.get(device).said(said);
    const { resolve, reject } = this.#calls.get(call);
    if (error === undefined) resolve(result);
    else reject(Object.assign(new Error(error), { code }));
  }
}

/** Clients of rumqttc: a program of this repository, which is built first. */
class RustProgram extends Program {
  async start() {
    const args = ["build", "--locked", "--quiet", "-p", "rumqttc-device"];
    await run("cargo", args, { cwd: root, env: nativeEnv() });
    await super.start();
  }
}

export const rustDevices = () => new RustProgram("rumqttc", path.join(root, "target", "debug", "rumqttc-device"), []);

/** Clients of a Python library. */
export const pythonDevices = (library, name = library) =>
  new Program(name, python, ["-B", path.join(import.meta.dirname, "devices.py"), library]);
