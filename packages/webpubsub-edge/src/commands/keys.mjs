// `keys`: the access keys of a service, and new ones.
import {
  connectionString,
  deployment,
  keepDeployment,
  keepPrimaryKey,
  keptSecret,
  portalSecret,
} from "../../../../scripts/access.mjs";
import { addressFlags, addressOptions } from "../../../../scripts/options.mjs";
import { currentKeys } from "../../../../scripts/service/current-keys.mjs";
import { UsageProblem, say } from "../../../../scripts/terminal.mjs";
import { DEPLOYMENT, KEYS, typed } from "../../../../scripts/typed.mjs";
import { jsonFlag, sayJson, sayTable } from "../output.mjs";
import { Service } from "../service.mjs";

/** @import { Flags, Operands, ValuesOf } from "../../../../scripts/command.mjs" */

/** @import { AddressValues } from "../../../../scripts/options.mjs" */

/**
 * A key as it is shown: whole, or by its first characters.
 * @typedef {{ start: string, key?: string }} ShownKey
 */

const ROLES = /** @type {const} */ (["primary", "secondary"]);

/**
 * @param {Partial<Record<typeof ROLES[number], ShownKey | null>>} keys
 * @param {{ json?: boolean }} values
 */
function print(keys, values) {
  if (values.json) return sayJson(keys);
  const shown = (/** @type {ShownKey | null | undefined} */ key) => (key ? (key.key ?? `${key.start}…`) : "none");
  sayTable([["key", ""], ...ROLES.map((role) => [role, shown(keys[role])])]);
}

/**
 * Keeps a new primary key where the one before was read, and says so, or that someone has to.
 * @param {Service} service
 * @param {AddressValues} values
 * @param {string} key
 */
function keep(service, values, key) {
  if (key === service.key) return;
  if (values.deployed) {
    const { endpoint, storedKey } = deployment();
    if (storedKey !== undefined) {
      keepDeployment({ endpoint, key });
      return say(`The new primary key is kept in ${DEPLOYMENT}.`);
    }
  }
  const isFolders =
    !values.deployed && values["connection-string"] === undefined && !process.env.WebPubSubConnectionString;
  if (isFolders && keepPrimaryKey(key)) return say(`The new primary key is kept in ${KEYS}.`);
  process.stderr.write("Give the new primary key to whatever sets the old one.\n");
}

/**
 * @param {ValuesOf<typeof flags>} values
 * @param {string} path
 */
async function change(values, path) {
  const service = new Service(values);
  const keys = await service.manage("POST", `/keys/${path}`);
  if (values.json) sayJson(keys);
  else say(connectionString(service.url, keys.primary.key));
  keep(service, values, keys.primary.key);
}

/** @satisfies {Flags} */
const flagsOfList = {
  reveal: { type: "boolean", about: "Shows all of them." },
  ...jsonFlag,
  ...addressFlags,
};

export const list = {
  name: typed("keys list"),
  summary: "Shows the access keys of a service.",
  about:
    "Shows the access keys of a service by their first characters. Where the one that is known here was regenerated in the page, the new one is kept.",
  flags: flagsOfList,
  examples: [[typed("keys list", "--reveal --json"), "for programs"]],

  /** @param {ValuesOf<typeof flagsOfList>} values */
  async run(values) {
    const service = new Service(values);
    const known = await currentKeys({ url: service.url, key: service.key, secret: secretOf(values) });
    // It says why.
    if (!known) return void (await service.manage("GET", "/keys"));
    keep(service, values, known.primary.key);
    const shown = ROLES.map((role) => [role, known[role] && masked(known[role].key, values.reveal)]);
    print(Object.fromEntries(shown), values);
  },
};

/**
 * What operators sign in with at the service that is meant; nothing where it may be another's.
 * @param {AddressValues} values
 */
function secretOf(values) {
  const { connection, endpoint, isDeployed, state } = addressOptions(values, process.env);
  return connection || endpoint ? "" : portalSecret(isDeployed ? "" : keptSecret(state)).PORTAL_SECRET;
}

/**
 * @param {string} key
 * @param {boolean} [reveal]
 * @returns {ShownKey}
 */
const masked = (key, reveal) => ({ start: key.slice(0, 4), ...(reveal && { key }) });

/** @satisfies {Flags} */
const flags = { ...jsonFlag, ...addressFlags };

export const rotate = {
  name: typed("keys rotate"),
  summary: "Makes a new primary access key, without a gap.",
  about:
    "Makes a new primary access key; the one before becomes the secondary one. Both are accepted, so nothing ends. Prints\nthe new connection string.",
  flags: flags,
  examples: [
    [typed("keys rotate"), "a new key for servers, which may take their time"],
    [typed("keys regenerate", "secondary"), "and later the end of the old one"],
  ],

  /** @param {ValuesOf<typeof flags>} values */
  run: (values) => change(values, ":rotate"),
};

export const regenerate = {
  name: typed("keys regenerate"),
  rest: "ROLE",
  summary: "Replaces the primary or the secondary access key.",
  about:
    "Replaces an access key: primary or secondary. What the key signed is refused from then on, as where it became known.\nPrints the connection string.",
  flags: flags,
  examples: [
    [typed("keys regenerate", "secondary"), "the end of the key that was rotated"],
    [typed("keys regenerate", "primary --deployed"), "the end of a key that became known"],
  ],

  /** @param {ValuesOf<typeof flags> & Operands} values */
  run(values) {
    const [role] = values.rest;
    if (!ROLES.some((known) => known === role))
      throw new UsageProblem(`ROLE must be primary or secondary, not "${role}".`);
    return change(values, `${role}/:regenerate`);
  },
};
