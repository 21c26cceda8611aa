// How commands are typed, for what they say of themselves and of each other.
//
// In the package `webpubsub-edge` `packages/webpubsub-edge/src/typed.mjs` stands in its place.

/**
 * Those that are no `npm run -s NAME`, since what they print is for people.
 * @type {Record<string, string>}
 */
const names = { dev: "npm start", serve: "npm run serve", deploy: "npm run deploy" };

/** Whether a command's options come after `--`. */
export const afterDashes = true;

/**
 * A command as it is typed, with its options.
 * @param {string} name
 * @param {string} [options]
 */
export function typed(name, options = "") {
  return `${names[name] ?? `npm run -s ${name}`}${options && ` -- ${options}`}`;
}

/** Where a service keeps its state unless it is said, in words. */
export const STATE = ".state in the project's folder";

/** Where the access keys of services on this machine are, in words. */
export const KEYS = ".dev.vars";

/** Where the access key and the URL of what was deployed are, in words. */
export const DEPLOYMENT = ".deploy.vars";
