// The worker's variables: which there are, and what they may be.
//
// The worker checks them as well (crates/webpubsub-service/src/config.rs): this list is for saying before the start what is wrong, and a
// test holds it against the worker's and the table in docs/configuration.md.
import { nearest } from "./nearest.mjs";
import { UsageProblem } from "./terminal.mjs";
import { KEYS } from "./typed.mjs";

const ON = ["1", "true", "on", "yes"];
const OFF = ["0", "false", "off", "no", ""];
const MOST = 2 ** 32 - 1;
const MAX_CONNECTIONS = 32_000;
export const MAX_SHARDS = 65_535;

/** Names that begin so are the operator's own: the secrets of event handlers, which hubs' settings name. */
export const HANDLER_SECRET = "HANDLER_SECRET_";

/**
 * What a variable may be: what is wrong with a value, if anything is; of a number also its bounds.
 * @typedef {{ least?: number, most?: number, problem(value: string): string | undefined }} Variable
 */

/**
 * @param {number} least
 * @param {number} most
 * @returns {Variable & { least: number, most: number }}
 */
const number = (least, most) => ({
  least,
  most,
  problem: (value) =>
    isWhole(value.trim(), least, most) ? undefined : `must be a whole number from ${least} to ${most}`,
});

/**
 * @param {string} text
 * @param {number} least
 * @param {number} most
 */
const isWhole = (text, least, most) => /^\+?\d+$/.test(text) && Number(text) >= least && Number(text) <= most;

/**
 * Whether a switch is on; `undefined` is neither on nor off. `tests/vectors/variables` has the words.
 * @param {string} value
 */
export function readSwitch(value) {
  const word = value.toLowerCase();
  return ON.includes(word) || (OFF.includes(word) ? false : undefined);
}

/** @type {Variable} */
const onOff = { problem: (value) => (readSwitch(value) === undefined ? "must be on or off" : undefined) };

/** @type {Variable} */
const pauses = {
  problem(value) {
    const all = value
      .split(",")
      .map((pause) => pause.trim())
      .filter(Boolean);
    return all.length <= 10 && all.every((pause) => isWhole(pause, 0, 600))
      ? undefined
      : "must be up to 10 whole numbers from 0 to 600 with commas between";
  },
};

/** @type {Variable} */
const hosts = {
  problem(value) {
    const all = value
      .split(",")
      .map((host) => host.trim())
      .filter(Boolean);
    const isHost = (/** @type {string} */ host) => /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(host);
    return all.every(isHost)
      ? undefined
      : "must be hosts with commas between, such as public.example,localhost:8443, without schemes and paths";
  },
};

/** @type {Variable} */
const anything = { problem: () => undefined };

/** Every variable that `--var` sets, with what is wrong with a value of it. */
export const variables = {
  MAP_TTL_MS: number(0, 3_600_000),
  SHARD_SOFT_LIMIT: number(1, MAX_CONNECTIONS),
  SHARD_HARD_LIMIT: number(1, MAX_CONNECTIONS),
  CONNECTION_QUOTA: number(0, MOST),
  CLIENT_MESSAGES_PER_SECOND: number(0, MOST),
  CLIENT_MESSAGE_BURST: number(0, MOST),
  OUTBOUND_LIMIT_BYTES: number(0, MOST),
  CLIENT_GROUP_LIMIT: number(0, MOST),
  RECOVERY_WINDOW_SECONDS: number(1, 3_600),
  DRAIN_SECONDS: number(0, MOST),
  EVENT_TIMEOUT_SECONDS: number(1, 600),
  EVENT_RETRY_SECONDS: pauses,
  ALLOW_PRIVATE_EVENT_HANDLERS: onOff,
  ACCEPTED_HOSTS: hosts,
  SERVICE_HOSTS: hosts,
};

/**
 * Those that have a flag, or a place, of their own.
 * @type {Record<string, string>}
 */
export const elsewhere = {
  SHARDS: "with --shards N",
  HUB_SETTINGS: "with --settings FILE",
  WEBPUBSUB_ACCESS_KEY: `in the environment or in ${KEYS}: other users of this machine can read command lines`,
  PORTAL_SECRET: `in the environment or in ${KEYS}: other users of this machine can read command lines`,
  WEBPUBSUB_ACCESS_KEY_SECONDARY: `in the environment or in ${KEYS}: other users of this machine can read command lines`,
};

/**
 * Whether a variable that turns something on does.
 * @param {unknown} value
 */
export const isOn = (value) => readSwitch(String(value ?? "")) === true;

/**
 * The name and the value of a `NAME=VALUE`, or a problem.
 * @param {string} text
 * @returns {[name: string, value: string]}
 */
export function variable(text) {
  const [, name, value] = text.match(/^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s) ?? [];
  if (name === undefined) throw new UsageProblem(`--var must be NAME=VALUE, not "${text}".`);
  if (Object.hasOwn(elsewhere, name)) throw new UsageProblem(`Set ${name} ${elsewhere[name]}.`);
  check(name, value, variables);
  return [name, value];
}

/**
 * Fails where the `[vars]` of `wrangler.toml` have one that there is not, a wrong value, or an access key.
 * @param {Record<string, unknown>} vars
 */
export function checkConfigured(vars) {
  for (const [name, value] of Object.entries(vars)) {
    if (/_ACCESS_KEY|^PORTAL_SECRET$/.test(name))
      throw new UsageProblem(
        `wrangler.toml: ${name} is a secret, and does not belong in [vars]: everybody who sees the project can read it.`,
      );
    check(name, String(value), { ...variables, SHARDS: number(1, MAX_SHARDS), HUB_SETTINGS: anything });
  }
}

/**
 * @param {string} name
 * @param {string} value
 * @param {Record<string, Variable>} known
 */
function check(name, value, known) {
  if (name.startsWith(HANDLER_SECRET) && name !== HANDLER_SECRET) return;
  if (!Object.hasOwn(known, name)) {
    const isSecret = name.length > HANDLER_SECRET.length && name.toUpperCase().startsWith(HANDLER_SECRET);
    const meant = isSecret
      ? HANDLER_SECRET + name.slice(HANDLER_SECRET.length)
      : nearest(name, [...Object.keys(known), ...Object.keys(elsewhere)]);
    throw new UsageProblem(
      `There is no variable ${name}. ${meant ? `Did you mean ${meant}?` : `There are ${Object.keys(known).join(", ")}, and names that begin with ${HANDLER_SECRET}.`}`,
    );
  }
  const problem = known[name].problem(value);
  if (problem) throw new UsageProblem(`${name} ${problem}, not "${value}".`);
}
