// The command lines: parsed once into values that cannot be wrong.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { state } from "./paths.mjs";
import { UsageProblem } from "./terminal.mjs";

const MAX_SHARDS = 65_535;
const MAX_PORT = 65_535;

/** Parses flags; a wrong one is a problem that says which, and what there is. */
export function parse(args, options, command) {
  const flags = Object.keys(options).map((name) => `--${name}`).join(", ");
  try {
    return parseArgs({ args, options, allowPositionals: false, strict: true }).values;
  } catch (error) {
    const [flag] = error.message.match(/--?[a-zA-Z][\w-]*/) ?? [];
    const known = flag && flag.slice(2) in options;
    if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") throw new UsageProblem(`Unknown option ${flag}. ${command} takes ${flags}.`);
    if (known) {
      const takes = options[flag.slice(2)].type === "string" ? "needs a value" : "takes no value";
      throw new UsageProblem(`${flag} ${takes}.`);
    }
    throw new UsageProblem(`${command} takes ${flags} and nothing else. (${error.message.split(".")[0]}.)`);
  }
}

const serviceFlags = {
  port: { type: "string", default: "8080" },
  host: { type: "string", default: "127.0.0.1" },
  state: { type: "string", default: state },
  shards: { type: "string", default: "1" },
  settings: { type: "string" },
  var: { type: "string", multiple: true, default: [] },
  "web-socket-compression": { type: "boolean", default: false },
  "log-file": { type: "string" },
};

/** What `npm start` and `npm run serve` take. */
export function serviceOptions(args, command) {
  const values = parse(args, serviceFlags, command);
  const variables = Object.fromEntries(values.var.map(variable));
  variables.SHARDS = String(whole("--shards", values.shards, 1, MAX_SHARDS));
  if (values.settings !== undefined) variables.HUB_SETTINGS = settings(values.settings);
  return {
    port: port(values.port),
    host: host(values.host),
    state: resolve(nonEmpty("--state", values.state)),
    webSocketCompression: values["web-socket-compression"],
    logFile: values["log-file"] && resolve(values["log-file"]),
    variables,
  };
}

/** A flag's whole number between two bounds. */
export function whole(flag, text, least, most) {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(number >= least && number <= most)) {
    throw new UsageProblem(`${flag} must be a whole number from ${least} to ${most}, not "${text}".`);
  }
  return number;
}

/** A port to reach a service at, or 0 to take a free one. */
export const port = (text) => whole("--port", text, 0, MAX_PORT);

/** A host name or address, without brackets. */
export function host(text) {
  const name = text.replace(/^\[(.*)\]$/, "$1");
  if (!/^[A-Za-z0-9.:_-]+$/.test(name)) throw new UsageProblem(`--host must be a host name or an address, not "${text}".`);
  return name;
}

function nonEmpty(flag, text) {
  if (text.trim() === "") throw new UsageProblem(`${flag} needs a value.`);
  return text;
}

const OWN_FLAGS = { SHARDS: "--shards N", HUB_SETTINGS: "--settings FILE" };

function variable(text) {
  const [, name, value] = text.match(/^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s) ?? [];
  if (name === undefined) throw new UsageProblem(`--var must be NAME=VALUE, not "${text}".`);
  if (name in OWN_FLAGS) throw new UsageProblem(`Set ${name} with ${OWN_FLAGS[name]}.`);
  if (/_ACCESS_KEY/.test(name)) {
    throw new UsageProblem(`Set ${name} in the environment or in .dev.vars: other users of this machine can read command lines.`);
  }
  return [name, value];
}

function settings(file) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageProblem(`--settings: ${file} cannot be read (${error.code ?? error.message}).`);
  }
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageProblem(`--settings: ${file} is not JSON: ${error.message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new UsageProblem(`--settings: ${file} must hold a JSON object, such as {"hubs":{}}.`);
  }
  return JSON.stringify(value);
}
