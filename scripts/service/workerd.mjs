// The built worker on plain workerd: one process, state on disk.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bracketed } from "../access.mjs";
import { at } from "../paths.mjs";
import { start } from "../processes.mjs";
import { workerd } from "../toolchain.mjs";
import { assetsWorker } from "./assets.mjs";
import { capnp } from "./capnp.mjs";
import { copyFolder } from "./copy.mjs";
import { privateFolder } from "./folder.mjs";
import { workerConfig } from "./worker-config.mjs";

/** Starts workerd on a copy of the build, so that building again does not disturb it. */
export async function startWorkerd(options, { variables, keys }, stdio) {
  const folder = privateFolder(join(options.state, "workerd"));
  const run = join(folder, "run");
  const storage = join(folder, "state");
  rmSync(run, { recursive: true, force: true });
  mkdirSync(storage, { recursive: true });

  const config = await workerConfig();
  const all = { ...variables, ...keys };
  const modules = copyFolder(dirname(at(config.main)), join(run, "worker"));
  const assets = copyFolder(at(config.assets.directory), join(run, "assets"));
  writeFileSync(join(run, "assets.js"), assetsWorker(assets));
  const file = join(run, "service.capnp");
  const text = capnp({ config, modules, assets, variables: all, storage, address: `${bracketed(options.host)}:${options.port}` });
  writeFileSync(file, text, { mode: 0o600 });
  return start(await workerd(), ["serve", file], { stdio, env: { ...process.env, ...all } });
}
