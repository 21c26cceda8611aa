// How commands are typed, in the package: it stands in the place of the repository's `scripts/typed.mjs`.

/** What is typed before a command's name. */
export const PROGRAM = "npx webpubsub-edge";

/** Whether a command's options come after `--`. */
export const afterDashes = false;

/**
 * A command as it is typed, with its options.
 * @param {string} name
 */
export const typed = (name, options = "") => `${PROGRAM} ${name}${options && ` ${options}`}`;

/** Where a service keeps its state unless it is said, in words. */
export const STATE = ".webpubsub-edge/state in the working folder";

/** Where the access keys of services on this machine are, in words. */
export const KEYS = ".webpubsub-edge/keys";

/** Where the access key and the URL of what was deployed are, in words. */
export const DEPLOYMENT = ".webpubsub-edge/deployment";
