/** What other objects and the Worker ask of an object. */
export interface Asked extends Rpc.DurableObjectBranded {
  /** Answers a call by the three digits of a status and a text. */
  ask(path: string, body: string): string | Promise<string>;
}

/** What is asked of a shard beside that. */
export interface Serving extends Asked {
  /** Carries out a request of the REST API: what `taskHead` says of it and its body. `respond` reads the answer. */
  serve(head: string, body?: ArrayBuffer): string | Promise<string>;
}

/** The Worker's bindings, by their names in `wrangler.toml`. */
export interface Bindings {
  HUB_SHARD: DurableObjectNamespace<Serving>;
  HUB_DIRECTORY: DurableObjectNamespace<Asked>;
  ASSETS: Fetcher;
}

/** A variable or secret of the Worker's, if it is set. */
export function variable(env: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = env[name];
  return value === undefined ? undefined : String(value);
}
