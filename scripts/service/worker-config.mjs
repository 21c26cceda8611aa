// What `wrangler.toml` says about the worker, for every way of running it.
import { readFileSync } from "node:fs";
import { at } from "../paths.mjs";

const NO_COMPRESSION = "no_web_socket_compression";

/**
 * The configuration as it stands in the file, but that WebSockets may be compressed where that is asked for.
 * @param {{ webSocketCompression?: boolean }} options
 * @returns {Promise<Record<string, any>>}
 */
export async function workerConfig({ webSocketCompression } = {}) {
  const { parse } = await import("smol-toml");
  /** @type {Record<string, any>} */
  const config = parse(readFileSync(at("wrangler.toml"), "utf8"));
  const flags = config.compatibility_flags ?? [];
  return {
    ...config,
    compatibility_flags: webSocketCompression ? flags.filter((flag) => flag !== NO_COMPRESSION) : flags,
  };
}
