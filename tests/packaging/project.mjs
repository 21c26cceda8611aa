// A project in a folder of its own that has installed our package, with no network.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import { bundlersFolder } from "../../scripts/setup/bundlers.mjs";
import { ScriptedService } from "../client/scripted-service.mjs";

const run = promisify(execFile);
export const root = fileURLToPath(new URL("../..", import.meta.url));
export const tarball = path.join(root, "build", "client", "webpubsub-edge-client.tgz");

/** What every project does: connect, receive an echo, stop; it prints what came of it. */
export const echo = `
  const client = new WebPubSubClient(url);
  const once = (name) => new Promise((resolve) => client.on(name, resolve));
  const [connected, received, stopped] = [once("connected"), once("group-message"), once("stopped")];
  await client.start();
  await client.joinGroup("g");
  await client.sendToGroup("g", { hello: "é" }, "json");
  const { connectionId } = await connected;
  const { message } = await received;
  client.stop();
  await stopped;
  const result = JSON.stringify([connectionId, message.group, message.data]);
`;
export const echoed = JSON.stringify(["c1", "g", { hello: "é" }]);

/** Statements that need `WebPubSubProtobufProtocol`, and what they leave in `pinged`: a ping's bytes. */
export const ping = `
  const protocol = WebPubSubProtobufProtocol();
  await protocol.load();
  const pinged = String([...new Uint8Array(protocol.writeMessage({ kind: "ping" }))]);
`;
export const pinged = "74,0";

/**
 * @import { TestContext } from "node:test"
 * @import { BuildOptions } from "esbuild"
 */

export class Project {
  /** @param {string} parent */
  constructor(parent) {
    mkdirSync(parent, { recursive: true });
    this.folder = mkdtempSync(path.join(parent, "webpubsub-package-"));
  }

  /**
   * An installed project that finds the bundlers and frameworks, too.
   * @param {Pick<TestContext, "after">} t
   * @param {object} [packageJson]
   */
  static installBesideBundlers(t, packageJson) {
    return Project.install(t, packageJson, path.join(bundlersFolder, "projects"));
  }

  /**
   * An installed project, gone when the test is.
   * @param {Pick<TestContext, "after">} t
   */
  static async install(t, packageJson = {}, parent = tmpdir()) {
    const project = new Project(parent);
    t.after(() => rmSync(project.folder, { recursive: true, force: true }));
    project.write("package.json", JSON.stringify({ name: "project", private: true, ...packageJson }));
    // `ws` comes from where the tests have it, not from a registry.
    const packages = [tarball, path.join(root, "node_modules", "ws")];
    await project.run("npm", "install", "--offline", "--install-links", "--no-audit", "--no-fund", ...packages);
    return project;
  }

  /** @param {...string} parts */
  path(...parts) {
    return path.join(this.folder, ...parts);
  }

  /**
   * Writes a file, and returns its path in the project.
   * @param {string} name
   * @param {string | NodeJS.ArrayBufferView} text
   */
  write(name, text) {
    mkdirSync(path.dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
    return name;
  }

  /** @param {string} name */
  file(name) {
    return readFileSync(this.path(name));
  }

  /**
   * The files of a folder, by their paths in it.
   * @param {string} folder
   * @returns {Record<string, Buffer>}
   */
  files(folder) {
    const entries = readdirSync(this.path(folder), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    return Object.fromEntries(
      entries.map(({ parentPath, name }) => {
        const file = path.join(parentPath, name);
        return [`/${path.relative(this.path(folder), file)}`, readFileSync(file)];
      }),
    );
  }

  /**
   * Runs a program to its end and gives what it printed, which is all that it printed.
   * @param {string} program
   * @param {...string} args
   */
  async run(program, ...args) {
    const { stdout, stderr } = await run(program, args, { cwd: this.folder, timeout: 60_000 });
    if (program === process.execPath && stderr) throw new Error(stderr);
    return stdout.trim();
  }

  /** @param {...string} args */
  node(...args) {
    return this.run(process.execPath, ...args);
  }

  /**
   * @param {string} entry
   * @param {BuildOptions} options
   */
  async bundle(entry, options) {
    const { metafile, warnings } = await esbuild.build({
      ...options,
      entryPoints: [this.path(entry)],
      bundle: true,
      absWorkingDir: this.folder,
      metafile: true,
      logLevel: "silent",
    });
    if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join("\n"));
    return metafile;
  }
}

/**
 * A service with which one connection goes as it should, gone when the test is.
 * @param {Pick<TestContext, "after">} t
 */
export async function service(t) {
  const service = await ScriptedService.start();
  t.after(() => service.stop());
  const accept = async () => (await service.connection()).connected("c1");
  return Object.assign(service, { accept });
}
