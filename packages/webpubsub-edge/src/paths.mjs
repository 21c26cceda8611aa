// Where things are, in the package: it stands in the place of the repository's `scripts/paths.mjs`.
//
// What is kept lies in the folder that a command is typed in, and the package is only read.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder, which has the same files in `build` as the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * A path inside the package.
 * @param {...string} parts
 */
export const at = (...parts) => join(root, ...parts);

/** What the repository's build made. */
export const build = at("build");

/** Everything that is kept. */
export const home = join(process.cwd(), ".webpubsub-edge");

/** Where a running service keeps its state unless `--state` says otherwise. */
export const state = join(home, "state");

/** The access keys for local use. */
export const devVars = join(home, "keys");

/** The access key and the URL of what was deployed from here. */
export const deployVars = process.env.WEBPUBSUB_DEPLOY_VARS || join(home, "deployment");

/** Where it is noted at which port a service runs. */
export const services = join(home, "services");

/** Makes the folder for everything that is kept, which git is to leave alone: there are keys in it. */
export function makeHome() {
  if (existsSync(home)) return;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(join(home, ".gitignore"), "*\n");
}
