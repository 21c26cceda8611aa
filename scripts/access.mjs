// Keys, connection strings, client URLs and tokens.
import { createHmac, randomBytes } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  HUB,
  MAX_GROUP_CHARACTERS,
  claimsFor,
  clientClaims,
  unsignedToken,
} from "../crates/webpubsub-client/npm/src/server/jwt.js";
import { deployVars, devVars } from "./paths.mjs";
import { writePrivate } from "./service/folder.mjs";
import { UsageProblem } from "./terminal.mjs";
import { typed } from "./typed.mjs";
import { HANDLER_SECRET } from "./variables.mjs";

/**
 * The access keys by the names of their variables.
 * @typedef {{ WEBPUBSUB_ACCESS_KEY: string, WEBPUBSUB_ACCESS_KEY_SECONDARY?: string }} AccessKeys
 *
 * How a service is asked: its URL, and a key of it. `now` is in milliseconds.
 * @typedef {{ url: string, key: string, now?: number }} Access
 */

const PRIMARY = "WEBPUBSUB_ACCESS_KEY";
const SECONDARY = "WEBPUBSUB_ACCESS_KEY_SECONDARY";
const ENDPOINT = "WEBPUBSUB_ENDPOINT";
const PORTAL = "PORTAL_SECRET";

/** HMAC-SHA256's own size: a shorter key is easier to guess than a signature is to forge. */
const LEAST_KEY_BYTES = 32;

/** What the service asks of the secret that operators sign in with. */
const LEAST_PORTAL_CHARACTERS = 16;

/** Only characters that mean nothing in a connection string, a URL or a shell. */
const randomKey = () => randomBytes(48).toString("base64url");

/**
 * `NAME=VALUE` lines, values with or without quotes.
 * @param {string} text
 */
export function parseVars(text) {
  /** @type {Record<string, string>} */
  const vars = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = line.match(/^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/) ?? [];
    if (name) vars[name] = value.replace(/^(["'`])(.*)\1$/, "$2");
  }
  return vars;
}

/**
 * The access keys by the name of their variable: from the environment, else from `.dev.vars`.
 * The first time, a random primary key is written there.
 */
export function accessKeys(env = process.env, file = devVars) {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const stored = parseVars(text);
  if (!env[PRIMARY] && !stored[PRIMARY]) {
    stored[PRIMARY] = randomKey();
    const newLine = text === "" || text.endsWith("\n") ? "" : "\n";
    appendFileSync(file, `${newLine}${PRIMARY}=${stored[PRIMARY]}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  /** @type {AccessKeys} */
  const keys = { [PRIMARY]: env[PRIMARY] || stored[PRIMARY] };
  const secondary = env[SECONDARY] || stored[SECONDARY];
  if (secondary) keys[SECONDARY] = secondary;
  return keys;
}

/**
 * Keeps a primary key that the service made, in the file that the one before came from. Returns whether it did: a key of
 * the environment is set elsewhere.
 * @param {string} key
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string} [file]
 */
export function keepPrimaryKey(key, env = process.env, file = devVars) {
  if (env[PRIMARY] || !existsSync(file)) return false;
  const lines = readFileSync(file, "utf8").split("\n");
  const at = lines.findLastIndex((line) => parseVars(line)[PRIMARY] !== undefined);
  if (at < 0) return false;
  lines[at] = `${PRIMARY}=${key}`;
  writePrivate(file, lines.join("\n"));
  return true;
}

/** The key that new tokens are signed with. */
export const primaryKey = (keys = accessKeys()) => keys[PRIMARY];

/** The secrets of event handlers by the name of their variable: from the environment, else from `.dev.vars`. */
export function handlerSecrets(env = process.env, file = devVars) {
  const all = { ...(existsSync(file) ? parseVars(readFileSync(file, "utf8")) : {}), ...env };
  return Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith(HANDLER_SECRET)));
}

/**
 * The secret that operators sign in with, by the name of its variable: from the environment, else from `.dev.vars`, else
 * the one that `otherwise` gives, if any.
 */
export function portalSecret(otherwise = "", env = process.env, file = devVars) {
  const secret = env[PORTAL] || (existsSync(file) ? parseVars(readFileSync(file, "utf8")) : {})[PORTAL] || otherwise;
  if (secret && secret.length < LEAST_PORTAL_CHARACTERS)
    throw new UsageProblem(`${PORTAL} has fewer than ${LEAST_PORTAL_CHARACTERS} characters and can be guessed.`);
  return secret ? { [PORTAL]: secret } : {};
}

/** @param {string} state */
const keptSecretFile = (state) => join(state, "portal-secret");

/**
 * The secret that is kept in a state folder; nothing where there is none.
 * @param {string} state
 */
export function keptSecret(state) {
  const file = keptSecretFile(state);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : "";
}

/**
 * The secret that is kept in a state folder, made the first time: sessions outlive a restart. It is random, so that who
 * knows an access key that was regenerated does not sign in with it.
 * @param {string} state
 */
export function secretFor(state) {
  if (!keptSecret(state)) writePrivate(keptSecretFile(state), `${randomKey()}\n`);
  return keptSecret(state);
}

/**
 * A link that signs in once, within a day. What is behind the `#` leaves no browser, and so is in no log. A page that came
 * by http learns there at which port of the same host https is.
 * @param {{ url: string, secure?: string, key: string, now?: number }} service
 */
export function signInLink({ url, secure, key, now = Date.now() }) {
  const claims = {
    ...claimsFor(`${url}/management/session`, 24 * 60, now),
    jti: randomBytes(16).toString("base64url"),
  };
  return `${url}/#ticket=${signed(claims, key)}${secure ? `&https=${new URL(secure).port || 443}` : ""}`;
}

/**
 * The names of the keys that are short enough to be guessed.
 * @param {Record<string, string | undefined>} keys
 */
export const weakKeys = (keys) =>
  Object.entries(keys).flatMap(([name, key = ""]) => (Buffer.byteLength(key) < LEAST_KEY_BYTES ? [name] : []));

/**
 * Says on standard error which keys are weak. Returns the keys.
 * @param {AccessKeys} keys
 */
export function warnOfWeakKeys(keys) {
  for (const name of weakKeys(keys))
    process.stderr.write(
      `${weakness(name)} That is good enough on this machine only: ${typed("deploy")} refuses it.\n`,
    );
  return keys;
}

/**
 * What is wrong with a weak key.
 * @param {string} name
 */
export const weakness = (name) => `${name} has fewer than ${LEAST_KEY_BYTES} bytes and can be guessed.`;

/** What is known here of the deployed service: its `endpoint` and its access `key`, the environment's or the `storedKey`. */
export function deployment(env = process.env, file = deployVars) {
  const stored = existsSync(file) ? parseVars(readFileSync(file, "utf8")) : {};
  return { endpoint: stored[ENDPOINT], key: env[PRIMARY] || stored[PRIMARY], storedKey: stored[PRIMARY] };
}

/**
 * Keeps what is known of the deployed service, in a file that only its owner can read.
 * @param {{ endpoint?: string, key?: string }} deployed
 */
export function keepDeployment({ endpoint, key }, file = deployVars) {
  const lines = Object.entries({ [ENDPOINT]: endpoint, [PRIMARY]: key }).filter(([, value]) => value);
  writePrivate(file, lines.map(([name, value]) => `${name}=${value}\n`).join(""));
}

/** A random key for a service that is to be deployed. */
export const newKey = randomKey;

/**
 * An address as a part of a URL.
 * @param {string} host
 */
export const bracketed = (host) => (host.includes(":") ? `[${host}]` : host);

/** @param {string} host */
const isLocal = (host) => ["127.0.0.1", "::1", "0.0.0.0", "::", "localhost"].includes(host);

/**
 * The URL that people use for a service on this machine, or another.
 * @param {{ scheme?: string, host: string, port: number }} address
 */
export function endpoint({ scheme = "http", host, port }) {
  return `${scheme}://${isLocal(host) ? "localhost" : bracketed(host)}:${port}`;
}

/**
 * The hosts that clients of a service at this address ask, as they stand in URLs.
 * @param {{ host: string, port: number, https?: { port: number } }} address
 */
export function serviceHosts({ host, port, https }) {
  const names = isLocal(host) ? ["localhost", "127.0.0.1"] : [bracketed(host)];
  if (host === "::1") names.push("[::1]");
  const at = (/** @type {string} */ scheme, /** @type {number} */ port) =>
    names.map((name) => new URL(`${scheme}://${name}:${port}`).host);
  return [...at("http", port), ...(https ? at("https", https.port) : [])];
}

/**
 * @param {string} url
 * @param {string} key
 */
export const connectionString = (url, key) => `Endpoint=${url};AccessKey=${key};Version=1.0;`;

/**
 * The hub's name as it was typed for `flag`, or a problem.
 * @param {string} name
 * @param {string} [flag]
 */
export function hubName(name, flag = "--hub") {
  if (!HUB.test(name)) {
    throw new UsageProblem(
      `${flag} must be 1 to 128 letters, digits or any of _ \` , . [ ] and start with a letter, not "${name}".`,
    );
  }
  return name;
}

/**
 * The group's name, or a problem.
 * @param {string} name
 */
export function groupName(name) {
  if (name.trim() === "" || [...name].length > MAX_GROUP_CHARACTERS || isDots(name)) {
    throw new UsageProblem(
      `--group must be 1 to ${MAX_GROUP_CHARACTERS} characters, not only blanks, and neither . nor .., not "${name.slice(0, 40)}".`,
    );
  }
  return name;
}

/**
 * The user's name, or a problem.
 * @param {string} name
 */
export function userId(name) {
  if (isDots(name)) throw new UsageProblem(`--user must be neither . nor .., which URLs resolve, not "${name}".`);
  return name;
}

/**
 * Whether URLs resolve a name: the service refuses users and groups that are called so.
 * @param {string} name
 */
const isDots = (name) => name === "." || name === "..";

/** The roles that let a client join, leave and send to every group. */
export const ALL_GROUPS = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

/**
 * A client access URL: the hub's address with a token in it.
 * @param {{ hub: string, user?: string, roles?: string[], groups?: string[], minutes?: number }} client
 * @param {Access} service
 */
export function clientUrl({ hub, user, roles, groups, minutes }, { url, key, now = Date.now() }) {
  const audience = `${url}/client/hubs/${hub}`;
  const claims = clientClaims(audience, { userId: user, roles, groups, minutes }, now);
  return `${audience.replace(/^http/, "ws")}?access_token=${signed(claims, key)}`;
}

/**
 * A token for requests to one path of the service.
 * @param {{ path: string, minutes?: number }} request
 * @param {Access} service
 */
export const requestToken = ({ path, minutes = 60 }, { url, key, now = Date.now() }) =>
  signed(claimsFor(`${url}${path}`, minutes, now), key);

/**
 * A JSON Web Token, HS256. The key is used as text, as the service does: it is not base64 to be decoded.
 * @param {object} claims
 * @param {string} key
 */
function signed(claims, key) {
  const content = unsignedToken(claims);
  return `${content}.${createHmac("sha256", key).update(content).digest("base64url")}`;
}
