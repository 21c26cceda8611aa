// Calls of Durable Objects. Only a client's socket needs a request: whatever else is a call of a method, which costs
// the platform less.
import type { Bindings, Serving } from "./env.ts";
import { taskHead } from "./headers.ts";
import { respond } from "./respond.ts";

/** The most ids that are kept: about 1 MB of them. */
const MOST_IDS = 10_000;

/** The ids of shards by their names, of which each costs a hash. */
const ids = new Map<string, DurableObjectId>();

function shard(namespace: Bindings["HUB_SHARD"], name: string): DurableObjectStub<Serving> {
  let id = ids.get(name);
  if (!id) {
    if (ids.size >= MOST_IDS) ids.clear();
    ids.set(name, (id = namespace.idFromName(name)));
  }
  return namespace.get(id);
}

/** Bodies up to so many bytes and of these types are read before anything has asked for them: nearly all are needed. */
const READ_FIRST = { most: 65536, types: /^(text\/plain|application\/(json|octet-stream))\b/ };

/** Whether a request can go to a shard at once: it has no body, or one that is read first. */
export function canForward(request: Request): boolean {
  const { headers } = request;
  const length = headers.get("Content-Length");
  if (length === null || Number(length) > READ_FIRST.most || headers.has("Expect")) return request.body === null;
  return READ_FIRST.types.test(headers.get("Content-Type") ?? "") || request.body === null;
}

/**
 * Has a shard carry a request out that can be forwarded. Resolves with the answer, or with what `failed` makes of the
 * error. `prefix` is that of the headers that a shard reads.
 */
export function forwardToShard(
  { HUB_SHARD }: Bindings,
  name: string,
  request: Request,
  prefix: string,
  failed: (error: unknown, method: string) => Response,
): Promise<Response> {
  const { method, headers } = request;
  const head = taskHead(request, prefix);
  const serve = (body?: ArrayBuffer) => shard(HUB_SHARD, name).serve(head, body).then(respond);
  const answer = headers.has("Content-Length") ? request.arrayBuffer().then(serve) : serve();
  return answer.catch((error: unknown) => failed(error, method));
}

/** Has several shards carry the same request out at once; one answer each, as `respond` reads it, in their order. */
export function serveOnAll(
  { HUB_SHARD }: Bindings,
  names: string[],
  head: string,
  body: Uint8Array<ArrayBuffer> | undefined,
): Promise<string[]> {
  return Promise.all(names.map((name) => shard(HUB_SHARD, name).serve(head, body?.buffer)));
}

/** Asks a shard something that it answers with a socket, or with why there is none. */
export function askWithSocket({ HUB_SHARD }: Bindings, name: string, path: string, body: string): Promise<Response> {
  // The URL has no meaning beyond being one: an object is reached by its name.
  return shard(HUB_SHARD, name).fetch("https://object", {
    headers: { Upgrade: "websocket", "x-call": `${path} ${body}` },
  });
}

/** Path and body of what `askWithSocket` asks. */
export function askedWithSocket({ headers }: Request): [path: string, body: string] {
  const [path, ...body] = (headers.get("x-call") ?? "").split(" ");
  return [path!, body.join(" ")];
}

/** Makes the same call of several objects at once; one answer each, in their order, and `false` for a failure. */
export function callObjects(
  env: Bindings,
  kind: "HUB_SHARD" | "HUB_DIRECTORY",
  names: string[],
  path: string,
  body: string,
): Promise<(string | false)[]> {
  return Promise.all(
    names.map(async (name) => {
      const answer = await env[kind].getByName(name).ask(path, body);
      return answer.startsWith("2") && answer.slice(3);
    }),
  );
}
