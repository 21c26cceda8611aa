// Requests to Durable Objects.
import type { Bindings } from "./env.ts";

/** Has no meaning beyond being an absolute URL: an object is reached by its name. */
const OBJECT = "https://object";

/** The most ids that are kept: about 1 MB of them. */
const MOST_IDS = 10_000;

/** The ids of shards by their names, of which each costs a hash. */
const ids = new Map<string, DurableObjectId>();

function shard(namespace: DurableObjectNamespace, name: string): DurableObjectStub {
  let id = ids.get(name);
  if (!id) {
    if (ids.size >= MOST_IDS) ids.clear();
    ids.set(name, (id = namespace.idFromName(name)));
  }
  return namespace.get(id);
}

/** Passes a request on as it is. Resolves with the object's answer, or with what `failed` makes of the error. */
export function forwardToShard(
  { HUB_SHARD }: Bindings,
  name: string,
  request: Request,
  failed: (error: unknown, method: string) => Response,
): Promise<Response> {
  return shard(HUB_SHARD, name)
    .fetch(request)
    .catch((error: unknown) => failed(error, request.method));
}

/** Asks a shard whether it takes a client's socket; `client` is what it is to know of the client. */
export function askWithSocket({ HUB_SHARD }: Bindings, name: string, path: string, client: string): Promise<Response> {
  return shard(HUB_SHARD, name).fetch(OBJECT + path, { headers: { Upgrade: "websocket", "x-client": client } });
}

/** What `askWithSocket` said of a client. */
export function clientOf({ headers }: Request): string {
  return headers.get("x-client") ?? "";
}

/**
 * Makes the same request of several shards at once; one answer each, in their order. Where the header `reply` says
 * what an answer is, that is its value, a line break and its body.
 */
export function askForParts(
  { HUB_SHARD }: Bindings,
  names: string[],
  path: string,
  method: string,
  headers: Headers,
  body: BodyInit | undefined,
  reply: string,
): Promise<(Response | string)[]> {
  const init = { method, headers, body };
  return Promise.all(
    names.map(async (name) => {
      const answer = await shard(HUB_SHARD, name).fetch(OBJECT + path, init);
      const value = answer.headers.get(reply);
      if (value === null) return answer;
      return `${value}\n${answer.body ? await answer.text() : ""}`;
    }),
  );
}

/** Makes the same call of several objects at once; one answer each, in their order, and `false` for a failure. */
export function callObjects(
  env: Bindings,
  kind: "HUB_SHARD" | "HUB_DIRECTORY",
  names: string[],
  path: string,
  body: string | undefined,
): Promise<(string | false)[]> {
  const init = { method: body === undefined ? "GET" : "POST", body };
  return Promise.all(
    names.map(async (name) => {
      const answer = await env[kind].getByName(name).fetch(OBJECT + path, init);
      return answer.ok && answer.text();
    }),
  );
}
