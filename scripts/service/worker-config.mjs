// What `wrangler.toml` says about the worker, for every way of running it.
import { readFileSync } from "node:fs";
import { at } from "../paths.mjs";

/** The configuration as it stands in the file. */
export async function workerConfig() {
  const { parse } = await import("smol-toml");
  return parse(readFileSync(at("wrangler.toml"), "utf8"));
}
