// The packed command line, installed in a folder of its own where nothing but Node is in PATH.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { tarball } from "../../../scripts/build/package.mjs";
import { at } from "../../../scripts/paths.mjs";
import { which } from "../../../scripts/processes.mjs";
import { ended, kill, start } from "../../support/processes.mjs";
import { deferred, within } from "../../support/waiting.mjs";

const LIMIT_MS = 180_000;
const npm = realpathSync(which("npm") ?? "npm");

/**
 * Where a command is typed, and with what.
 * @typedef {{ cwd?: string, env?: NodeJS.ProcessEnv, input?: string }} TypingOptions
 */

export class Installed {
  /** @type {import("node:child_process").ChildProcess[]} */
  #running = [];
  /** The folder of all this, and in it the project that has the package. */
  folder = "";
  project = "";
  package = "";
  /** How long the installation took, in milliseconds. */
  tookMs = 0;
  /** @type {NodeJS.ProcessEnv} */
  env = {};

  /** As it was built, without an installation: what it is built on is the repository's. */
  static built() {
    const installed = new Installed();
    installed.folder = mkdtempSync(path.join(tmpdir(), "command-line-"));
    installed.#prepare(process.execPath);
    installed.project = installed.newFolder("project");
    installed.package = at("build", "webpubsub-edge");
    return installed;
  }

  /** Installs it with the Node at `program`; what it is built on comes from the registry, or npm's cache. */
  static async install(program = process.execPath) {
    const installed = new Installed();
    installed.folder = mkdtempSync(path.join(tmpdir(), "command-line-"));
    installed.#prepare(program);
    installed.project = installed.newFolder("project");
    writeFileSync(path.join(installed.project, "package.json"), '{ "private": true, "type": "module" }\n');
    const args = ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball];
    const began = Date.now();
    const { status, output } = await installed.node([npm, ...args]);
    if (status !== 0) throw new Error(`npm install failed:\n${output}`);
    installed.tookMs = Date.now() - began;
    installed.package = path.join(installed.project, "node_modules", "webpubsub-edge");
    return installed;
  }

  /**
   * Nothing but Node is in PATH, and nothing of the environment says what the tests are to find.
   * @param {string} program
   */
  #prepare(program) {
    const bin = this.newFolder("bin");
    symlinkSync(program, path.join(bin, "node"));
    const { WEBPUBSUB_ACCESS_KEY: _, WEBPUBSUB_ACCESS_KEY_SECONDARY: __, ...env } = process.env;
    for (const name of Object.keys(env)) if (/^(CARGO|RUST|npm_|WebPubSub)/.test(name)) delete env[name];
    this.env = { ...env, PATH: bin };
  }

  /**
   * An empty folder to type commands in.
   * @param {string} name
   */
  newFolder(name) {
    const folder = path.join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /**
   * Runs Node to its end.
   * @param {(string | number)[]} args
   * @param {TypingOptions} options
   */
  async node(args, { cwd = this.project, env = {}, input = "" } = {}) {
    let [stdout, stderr] = ["", ""];
    const child = start(path.join(this.folder, "bin", "node"), args.map(String), {
      cwd,
      env: { ...this.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.on("error", () => {}).end(input);
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    const status = await within(ended(child), `the end of node ${args.join(" ")}`, LIMIT_MS);
    return { status, stdout, stderr, output: stdout + stderr };
  }

  /**
   * Types a command, and waits for its end.
   * @param {(string | number)[]} args
   * @param {TypingOptions} [options]
   */
  type(args, options) {
    return this.node([path.join(this.package, "bin", "webpubsub-edge.mjs"), ...args], options);
  }

  /**
   * Types a command that stays, and waits until it has printed what `ready` matches.
   * @param {(string | number)[]} args
   * @param {RegExp} ready
   * @param {Omit<TypingOptions, "input">} options
   */
  async stay(args, ready, { cwd = this.project, env = {} } = {}) {
    /** @type {ReturnType<typeof deferred<RegExpExecArray>>} */
    const matched = deferred();
    const printed = { output: "", stdout: "" };
    const look = () => {
      const match = ready.exec(printed.output);
      if (match) matched.resolve(match);
    };
    const child = start(
      path.join(this.folder, "bin", "node"),
      [path.join(this.package, "bin", "webpubsub-edge.mjs"), ...args.map(String)],
      { cwd, env: { ...this.env, ...env } },
    );
    this.#running.push(child);
    look();
    child.stdout.setEncoding("utf8").on("data", (text) => {
      printed.stdout += text;
      printed.output += text;
      look();
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      printed.output += text;
      look();
    });
    const gone = ended(child);
    gone.then((code) => matched.reject(new Error(`it ended with ${code}:\n${printed.output}`)));
    const match = await within(matched.promise, `${ready} of ${args.join(" ")}`, LIMIT_MS);
    const end = (/** @type {NodeJS.Signals} */ signal = "SIGTERM") => {
      child.kill(signal);
      return within(gone, `its end after ${signal}`);
    };
    return Object.assign(printed, { child, match, ended: gone, end });
  }

  remove() {
    for (const child of this.#running) kill(child);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
