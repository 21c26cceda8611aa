// What commands take on their command lines, as values that cannot be wrong.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "./command.mjs";
import { HOST, PORTS } from "./defaults.mjs";
import { codeOf, messageOf } from "./errors.mjs";
import { state } from "./paths.mjs";
import { VARIABLE, readConnectionString } from "./connection.mjs";
import { UsageProblem } from "./terminal.mjs";
import { STATE, typed } from "./typed.mjs";
import { MAX_SHARDS, variable } from "./variables.mjs";

/** @import { Command, Flags, ValuesOf } from "./command.mjs" */

const MAX_PORT = 65_535;

/** How many threads the native server may have. */
const MAX_THREADS = 256;

/**
 * The flags of `npm start` and `npm run serve`.
 * @satisfies {Flags}
 */
export const serviceFlags = {
  port: {
    type: "string",
    default: String(PORTS.http),
    value: "N",
    about: "Where it listens for http; 0 is any free port.",
  },
  host: { type: "string", default: HOST, value: "H", about: "The name or address to listen at." },
  https: {
    type: "boolean",
    about: `Serve https, too, with a certificate of a local authority. ${typed("dev")} always does.`,
  },
  "https-port": {
    type: "string",
    value: "N",
    about: `Where it listens for https; 0 is any free port. (${PORTS.https})`,
  },
  cert: { type: "string", value: "FILE", about: "Serve https with this certificate, PEM, with --key." },
  key: { type: "string", value: "FILE", about: "The certificate's key, PEM." },
  state: { type: "string", value: "DIR", about: `Where it keeps its state. (${STATE})` },
  shards: { type: "string", default: "1", value: "N", about: "How many Durable Objects a hub is spread over." },
  settings: { type: "string", value: "FILE", about: "Hubs' settings, JSON: see docs/configuration.md." },
  var: { type: "string", multiple: true, value: "NAME=VALUE", about: "Sets a variable: see docs/configuration.md." },
  "web-socket-compression": {
    type: "boolean",
    about: "Lets WebSockets be compressed, at a price: see docs/configuration.md.",
  },
  "log-file": { type: "string", value: "FILE", about: "Where the program's own output goes." },
};

const { "web-socket-compression": _, ...flagsOfBoth } = serviceFlags;

/**
 * The flags of `npm run server`.
 * @satisfies {Flags}
 */
export const serverFlags = {
  ...flagsOfBoth,
  shards: { ...flagsOfBoth.shards, about: "How many shards a hub is spread over, on one thread." },
  durability: {
    type: "string",
    value: "WHAT",
    about:
      "full: what was acknowledged survives a power failure; normal: the end of the process, and a power failure may lose the last moments; memory: nothing is written. (full)",
  },
  threads: { type: "string", value: "N", about: "How many threads serve. (one for each core)" },
};

/**
 * What was given to a command that runs the service: as far as it has these flags.
 * @typedef {Partial<ValuesOf<typeof serviceFlags & typeof serverFlags>>} ServiceValues
 *
 * The files of a certificate and its key, PEM.
 * @typedef {{ cert: string, key: string }} CertificateFiles
 *
 * Where https is served: its port, whether that one was asked for, and the `files` of a certificate of the operator's own;
 * `certificate` are those that are used.
 * @typedef {{ port: number, isGiven: boolean, files?: CertificateFiles, certificate?: CertificateFiles }} HttpsOptions
 *
 * How the service is run. `https` is left out where only http is served.
 * @typedef {{
 *   port: number, host: string, https?: HttpsOptions, state: string, webSocketCompression: boolean, logFile?: string,
 *   variables: Record<string, string>, durability?: string, threads?: number,
 * }} ServiceOptions
 */

/**
 * What a command that runs the service was given.
 * @param {string[]} args
 * @param {Command<Flags>} command
 * @returns {ServiceOptions}
 */
export function serviceOptions(args, command) {
  const values = /** @type {ValuesOf<typeof serviceFlags> & ServiceValues} */ (
    /** @type {unknown} */ (parse(args, command))
  );
  const port = portOf("--port", values.port);
  return {
    port,
    host: host(values.host),
    https: httpsOptions(values, port, command.alwaysHttps),
    state: stateFolder(values.state),
    webSocketCompression: values["web-socket-compression"] ?? false,
    ...serverOptions(values),
    logFile: values["log-file"] && resolve(values["log-file"]),
    variables: variablesOf(values),
  };
}

/**
 * The variables that the options of a service set.
 * @param {Pick<ValuesOf<typeof serviceFlags>, "var" | "shards" | "settings">} values
 */
export function variablesOf(values) {
  /** @type {Record<string, string>} */
  const variables = Object.fromEntries((values.var ?? []).map(variable));
  variables.SHARDS = String(whole("--shards", values.shards, 1, MAX_SHARDS));
  if (values.settings !== undefined) variables.HUB_SETTINGS = settings(values.settings);
  return variables;
}

/**
 * @param {Pick<ServiceValues, "https" | "https-port" | "cert" | "key">} values
 * @param {number} httpPort
 * @returns {HttpsOptions | undefined}
 */
function httpsOptions({ https, "https-port": given, cert, key }, httpPort, always = false) {
  if ((cert === undefined) !== (key === undefined))
    throw new UsageProblem("--cert FILE and --key FILE go together: a certificate and its key.");
  const files = cert !== undefined && key !== undefined ? { cert: resolve(cert), key: resolve(key) } : undefined;
  if (!(always || https || given !== undefined || files)) return undefined;
  const port = portOf("--https-port", given ?? String(PORTS.https));
  if (port !== 0 && port === httpPort)
    throw new UsageProblem(`http and https cannot both listen at port ${port}: take another --https-port.`);
  return { port, isGiven: given !== undefined, files };
}

/**
 * The flags that say which service a command is for.
 * @satisfies {Flags}
 */
export const addressFlags = {
  "connection-string": {
    type: "string",
    value: "TEXT",
    about: `The service's connection string; other users of this machine can read it here. Without any of these options it is that of ${VARIABLE} in the environment, if there is one.`,
  },
  state: {
    type: "string",
    value: "DIR",
    about: `The state folder of the service that runs on this machine. (${STATE})`,
  },
  port: {
    type: "string",
    value: "N",
    about: `The service's port, where it is not the one that runs on the state folder. (${PORTS.http})`,
  },
  host: { type: "string", value: "H", about: `The service's host, likewise. (${HOST})` },
  http: { type: "boolean", about: "The http form." },
  https: { type: "boolean", about: "The https form." },
  endpoint: { type: "string", value: "URL", about: "The service's URL, in place of all these." },
  deployed: { type: "boolean", about: `The service that ${typed("deploy")} deployed from here, with its access key.` },
};

/**
 * What was given to a command that is for some service: as far as it has these flags.
 * @typedef {Partial<ValuesOf<typeof addressFlags>>} AddressValues
 *
 * @typedef {"http" | "https"} Scheme
 *
 * Which service a command is for.
 * @typedef {{
 *   connection?: ReturnType<typeof readConnectionString>, state: string, port?: number, host?: string, scheme?: Scheme,
 *   endpoint?: string, isDeployed: boolean,
 * }} AddressOptions
 */

/**
 * What was said about which service a command is for, by the command line or else by the environment.
 * @param {AddressValues} values
 * @param {NodeJS.ProcessEnv} env
 * @returns {AddressOptions}
 */
export function addressOptions(values, env = {}) {
  if (values.http && values.https) throw new UsageProblem("--http and --https exclude each other.");
  const flags = /** @type {(keyof typeof addressFlags)[]} */ (Object.keys(addressFlags));
  const isSaid = flags.some((flag) => values[flag] !== undefined);
  return {
    connection: connection(values["connection-string"], isSaid ? undefined : env[VARIABLE]),
    state: stateFolder(values.state),
    port: values.port === undefined ? undefined : portOf("--port", values.port),
    host: values.host === undefined ? undefined : host(values.host),
    scheme: values.http ? "http" : values.https ? "https" : undefined,
    endpoint: values.endpoint === undefined ? undefined : endpointUrl(values.endpoint),
    isDeployed: values.deployed ?? false,
  };
}

/**
 * @param {string | undefined} given
 * @param {string | undefined} fromEnvironment
 */
function connection(given, fromEnvironment) {
  if (given !== undefined) return readConnectionString(given, "--connection-string");
  return fromEnvironment ? readConnectionString(fromEnvironment, VARIABLE) : undefined;
}

/**
 * A flag's whole number between two bounds.
 * @param {string} flag
 * @param {string} text
 * @param {number} least
 * @param {number} most
 */
export function whole(flag, text, least, most) {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(number >= least && number <= most)) {
    throw new UsageProblem(`${flag} must be a whole number from ${least} to ${most}, not "${text}".`);
  }
  return number;
}

/**
 * What only the native server takes, as far as it was given.
 * @param {Pick<ServiceValues, "durability" | "threads">} values
 */
function serverOptions({ durability, threads }) {
  return {
    ...(durability !== undefined && { durability: oneOf("--durability", durability, ["full", "normal", "memory"]) }),
    ...(threads !== undefined && { threads: whole("--threads", threads, 1, MAX_THREADS) }),
  };
}

/**
 * A flag's word, which is one of these.
 * @template {string} Word
 * @param {string} flag
 * @param {string} text
 * @param {readonly Word[]} words
 */
export function oneOf(flag, text, words) {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new UsageProblem(`${flag} must be one of ${words.join(", ")}, not "${text}".`);
  return found;
}

/**
 * A port to reach a service at, or 0 to take a free one.
 * @param {string} flag
 * @param {string} text
 */
const portOf = (flag, text) => whole(flag, text, 0, MAX_PORT);

/**
 * A host name or address, without brackets.
 * @param {string} text
 */
function host(text) {
  const name = text.replace(/^\[(.*)\]$/, "$1");
  if (!/^[A-Za-z0-9.:_-]+$/.test(name))
    throw new UsageProblem(`--host must be a host name or an address, not "${text}".`);
  return name;
}

/** @param {string} text */
function endpointUrl(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search || url.hash || url.username) {
    throw new UsageProblem(`--endpoint must be the service's URL, such as https://service.example, not "${text}".`);
  }
  return url.origin;
}

/** @param {string | undefined} text */
const stateFolder = (text) => (text === undefined ? state : resolve(nonEmpty("--state", text)));

/**
 * @param {string} flag
 * @param {string} text
 */
function nonEmpty(flag, text) {
  if (text.trim() === "") throw new UsageProblem(`${flag} needs a value.`);
  return text;
}

/** @param {string} file */
function settings(file) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageProblem(`--settings: ${file} cannot be read (${codeOf(error) ?? messageOf(error)}).`);
  }
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageProblem(`--settings: ${file} is not JSON: ${messageOf(error)}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new UsageProblem(`--settings: ${file} must hold a JSON object, such as {"hubs":{}}.`);
  }
  return JSON.stringify(value);
}
