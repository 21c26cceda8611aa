// What `wrangler.toml` says about the worker, for every way of running it.
import { readFileSync } from "node:fs";
import { at } from "../paths.mjs";

const NO_COMPRESSION = "no_web_socket_compression";

/**
 * @typedef {{
 *   name: string, main: string, compatibility_date: string, compatibility_flags: string[], rules: object[],
 *   durable_objects: { bindings: { name: string, class_name: string }[] },
 *   migrations: { tag: string, [step: string]: string | string[] }[], assets: { directory: string, binding: string }, vars?: Record<string, string | number>
 * }} WorkerConfig
 */

/**
 * The configuration as it stands in the file, but that WebSockets may be compressed where that is asked for.
 * @param {{ webSocketCompression?: boolean }} options
 * @returns {Promise<WorkerConfig>}
 */
export async function workerConfig({ webSocketCompression } = {}) {
  const { parse } = await import("smol-toml");
  const text = readFileSync(at("wrangler.toml"), "utf8");
  const config = /** @type {WorkerConfig} */ (/** @type {unknown} */ (parse(text)));
  const flags = config.compatibility_flags ?? [];
  return {
    ...config,
    compatibility_flags: webSocketCompression ? flags.filter((flag) => flag !== NO_COMPRESSION) : flags,
  };
}
