// The configuration that plain workerd reads, from the same facts that wrangler reads.
import { isOn } from "../variables.mjs";

/** @import { WorkerConfig } from "./worker-config.mjs" */

/**
 * The text of the configuration. Paths to embed are relative to it.
 * @param {{
 *   config: WorkerConfig, modules: string[], assets: string[], variables: Record<string, string | undefined>, storage: string,
 *   address: string,
 * }} facts
 */
export function capnp({ config, modules, assets, variables, storage, address }) {
  const vars = { ...config.vars, ...variables };
  // Sorted, the entry would not be first: workerd takes the first module for it.
  const entryFirst = [...modules].sort((a, b) => isEntry(b, config) - isEntry(a, config));
  const objects = config.durable_objects.bindings;
  const network = isOn(vars.ALLOW_PRIVATE_EVENT_HANDLERS) ? ["public", "private"] : ["public"];
  return `# Generated; every start writes it anew.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "assets", worker = .assets),
    (name = "storage", disk = (path = ${text(storage)}, writable = true)),
    (name = "internet", network = (allow = ${list(network.map(text))}, tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = ${text(address)}, http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = ${text(config.compatibility_date)},
  compatibilityFlags = ${list(config.compatibility_flags.map(text))},
  modules = ${list(entryFirst.map((name) => module(name, `worker/${name}`)))},
  durableObjectNamespaces = ${list(objects.map(({ class_name }) => `(className = ${text(class_name)}, uniqueKey = ${text(`${config.name}-${class_name}`)}, enableSql = true)`))},
  durableObjectStorage = (localDisk = "storage"),
  bindings = ${list([
    ...objects.map(({ name, class_name }) => `(name = ${text(name)}, durableObjectNamespace = ${text(class_name)})`),
    // By way of the environment: the values stay out of this file.
    ...Object.keys(variables).map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
    ...Object.entries(config.vars ?? {})
      .filter(([name]) => !(name in variables))
      .map(([name, value]) => `(name = ${text(name)}, text = ${text(String(value))})`),
    `(name = ${text(config.assets.binding)}, service = "assets")`,
  ])},
);

const assets :Workerd.Worker = (
  compatibilityDate = ${text(config.compatibility_date)},
  modules = ${list([
    `(name = "assets.js", esModule = embed "assets.js")`,
    ...assets.map((name) => `(name = ${text(`assets/${name}`)}, data = embed ${text(`assets/${name}`)})`),
  ])},
);
`;
}

/**
 * @param {string} name
 * @param {WorkerConfig} config
 */
const isEntry = (name, config) => Number(config.main.endsWith(`/${name}`));

/**
 * @param {string} name
 * @param {string} file
 */
function module(name, file) {
  const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
  return `(name = ${text(name)}, ${kind} = embed ${text(file)})`;
}

/** @param {string[]} items */
const list = (items) => (items.length === 0 ? "[]" : `[\n    ${items.join(",\n    ")},\n  ]`);

/**
 * A text literal: like JSON's but for characters by number.
 * @param {string} value
 */
const text = (value) => JSON.stringify(value).replace(/\\u00([0-9a-f]{2})/g, "\\x$1");
