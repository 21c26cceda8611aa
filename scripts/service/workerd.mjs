// The built worker on plain workerd: one process, state on disk.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bracketed } from "../access.mjs";
import { at } from "../paths.mjs";
import { start } from "../processes.mjs";
import { assetsWorker } from "./assets.mjs";
import { capnp } from "./capnp.mjs";
import { copyFolder } from "./copy.mjs";
import { privateFolder } from "./folder.mjs";
import { workerd } from "./program.mjs";
import { workerConfig } from "./worker-config.mjs";

/**
 * Starts workerd on a copy of the build, so that building again does not disturb it.
 * @type {import("../service.mjs").Launch}
 */
export async function startWorkerd(options, { variables, keys }, stdio) {
  const folder = privateFolder(join(options.state, "workerd"));
  const run = join(folder, "run");
  const storage = join(folder, "state");
  rmSync(run, { recursive: true, force: true });
  mkdirSync(storage, { recursive: true });

  const config = await workerConfig(options);
  const all = { ...variables, ...keys };
  const modules = copyFolder(dirname(at(config.main)), join(run, "worker"));
  const assets = copyFolder(at(config.assets.directory), join(run, "assets"));
  writeFileSync(join(run, "assets.js"), assetsWorker(assets));
  const file = join(run, "service.capnp");
  const text = capnp({
    config,
    modules,
    assets,
    variables: all,
    storage,
    address: `${bracketed(options.host)}:${options.port}`,
  });
  writeFileSync(file, text, { mode: 0o600 });
  const command = [await workerd(), "serve", file];
  return start(...deafToInterrupts(command), { stdio, env: { ...process.env, ...all } });
}

/**
 * Ctrl-C goes to everything in the terminal's foreground; what it means to the service is this process's to say.
 * @param {string[]} command
 * @returns {[command: string, args: string[]]}
 */
function deafToInterrupts(command) {
  if (process.platform === "win32") return [command[0], command.slice(1)];
  return ["/bin/sh", ["-c", 'trap "" INT; exec "$0" "$@"', ...command]];
}
