/** The Worker's bindings, by their names in `wrangler.toml`. */
export interface Bindings {
  HUB_SHARD: DurableObjectNamespace;
  HUB_DIRECTORY: DurableObjectNamespace;
  ASSETS: Fetcher;
}

/** A variable or secret of the Worker's, if it is set. */
export function variable(env: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = env[name];
  return value === undefined ? undefined : String(value);
}
