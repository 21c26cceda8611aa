// Where things are. Every path in the scripts starts from here.
//
// In the package `webpubsub-edge` `packages/webpubsub-edge/src/paths.mjs` stands in its place.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * A path inside the project.
 * @param {...string} parts
 */
export const at = (...parts) => join(root, ...parts);

/** What the set-up installs, apart from `node_modules`. */
export const tools = at(".tools");

/** What the build makes: `worker/`, `client/` and `www/`. */
export const build = at("build");

/** Where a running service keeps its state unless `--state` says otherwise. */
export const state = at(".state");

/** The access keys for local use; git ignores it. */
export const devVars = at(".dev.vars");

/** The access key and the URL of what was deployed from here; git ignores it. Who deploys several names another file for each. */
export const deployVars = process.env.WEBPUBSUB_DEPLOY_VARS || at(".deploy.vars");

/** Where it is noted at which port a service of this project runs. */
export const services = join(build, ".services");

/**
 * A program that came with an npm package.
 * @param {string} name
 */
export const npmBin = (name) => at("node_modules", ".bin", name);
