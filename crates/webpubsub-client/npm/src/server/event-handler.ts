// An application's event handler: the webhook that the service calls, with CloudEvents over HTTP.
import { answered, BadEvent, contextOf, dataOf, jsonObject, metadataOf, readBody, stateful } from "./cloud-events.js";
import {
  type ConnectAnswer,
  type ConnectedEvent,
  type ConnectEvent,
  type DisconnectedEvent,
  type EventContext,
  type GroupEvent,
  Refusal,
  Reply,
  type UserEvent,
} from "./events.js";
import { type SigningKey, signingKey, verify } from "./hmac.js";
import { type FetchHandler, notFound } from "./node.js";
import { type ServiceAddress, serviceOf } from "./service.js";
import { checkedHub } from "./token.js";

type Awaitable<T> = T | Promise<T>;

/** Which signature is accepted: that of the service's keys, or any, which only a test should say. */
type Signatures = ServiceAddress | { accessKeys: readonly string[] } | { verifySignature: false };

export type EventHandlerOptions = Signatures & {
  /** The hub whose events are handled. */
  hub: string;
  /** The path, with anything below it; `/api/webpubsub/hubs/HUB/`. */
  path?: string;
  /** The services that may send events, as URLs; any that has one of the keys. */
  allowedEndpoints?: readonly string[];
  /** The longest body that is read, in bytes; 16 MiB. */
  maxBodyBytes?: number;
  /** Decides on a client: returns nothing to let it in as its token says, an answer, or `refuse(…)`. */
  handleConnect?(event: ConnectEvent): Awaitable<ConnectAnswer | Refusal | null | undefined | void>;
  /**
   * Answers an event of a client: a string as text, bytes as binary, any other value as JSON, `undefined` as nothing, or
   * `reply(…)` or `refuse(…)`.
   */
  handleUserEvent?(event: UserEvent): Awaitable<unknown>;
  onConnected?(event: ConnectedEvent): Awaitable<void>;
  onDisconnected?(event: DisconnectedEvent): Awaitable<void>;
  onGroupJoined?(event: GroupEvent): Awaitable<void>;
  onGroupLeft?(event: GroupEvent): Awaitable<void>;
  /** Receives what one of these threw; `console.error`. The service is answered 500, and tries again. */
  onError?(error: unknown, event: EventContext): void;
};

/**
 * Makes a handler for the service's events. An event without a signature by one of the keys is refused with 401 before its
 * body is read. The signature covers the connection's id alone, so use https where others could read along.
 *
 * @throws TypeError for options that are wrong.
 */
export function eventHandler(options: EventHandlerOptions): FetchHandler {
  const hub = checkedHub(options.hub);
  const path = withSlash(options.path ?? `/api/webpubsub/hubs/${hub}/`);
  const allowed = options.allowedEndpoints?.map(hostOf);
  const keys = keysOf(options)?.map(signingKey);
  const maxBodyBytes = options.maxBodyBytes ?? 16 * 1024 * 1024;
  return async (request) => {
    if (!withSlash(new URL(request.url).pathname).startsWith(path)) return notFound();
    const origin = request.headers.get("webhook-request-origin");
    if (request.method === "OPTIONS") return agree(origin, allowed);
    if (request.method !== "POST" || !request.headers.has("ce-awpsversion") || origin === null) return notFound();
    const event = contextOf(request.headers, origin);
    const kind = KINDS.find(({ type }) => type.test(request.headers.get("ce-type") ?? ""));
    if (kind === undefined || event.hub.toLowerCase() !== hub.toLowerCase()) return notFound();
    if (allowed && !allowed.includes(origin.toLowerCase())) return notAllowed(origin);
    if (keys && !(await isSigned(request.headers.get("ce-signature") ?? "", event.connectionId, keys)))
      return text(401, "The event is not signed with an access key that this event handler knows.");
    const body = await readBody(request, maxBodyBytes);
    if (body === undefined) return text(413, `The event is longer than ${maxBodyBytes} bytes.`);
    try {
      return await kind.handle(event, body, request.headers, options);
    } catch (error) {
      if (error instanceof BadEvent) return text(400, error.message);
      (options.onError ?? console.error)(error, event);
      return text(500, "");
    }
  };
}

interface Kind {
  type: RegExp;
  handle(
    event: EventContext,
    body: Uint8Array<ArrayBuffer>,
    headers: Headers,
    options: EventHandlerOptions,
  ): Promise<Response>;
}

const KINDS: Kind[] = [
  {
    type: /^azure\.webpubsub\.sys\.connect$/i,
    async handle(event, body, _, options) {
      const [withState, stateHeaders] = stateful(event);
      const { claims, query, headers, subprotocols, clientCertificates } = jsonObject(body);
      const answer = await options.handleConnect?.({
        ...withState,
        claims: claims ?? {},
        query: query ?? {},
        headers: headers ?? {},
        subprotocols: subprotocols ?? [],
        clientCertificates: clientCertificates ?? [],
      });
      if (answer instanceof Refusal) return text(answer.status, answer.detail);
      if (answer === undefined || answer === null) return new Response(null, { status: 204, headers: stateHeaders() });
      return Response.json(answer, { headers: stateHeaders() });
    },
  },
  {
    type: /^azure\.webpubsub\.user\./i,
    async handle(event, body, headers, options) {
      const [withState, stateHeaders] = stateful(event);
      const [dataType, data] = dataOf(body, headers.get("content-type") ?? "");
      const answer = await options.handleUserEvent?.({ ...withState, data, dataType, metadata: metadataOf(headers) });
      if (answer instanceof Refusal) return text(answer.status, answer.detail);
      return answered(answer instanceof Reply ? answer : new Reply(answer, {}), stateHeaders());
    },
  },
  notification(/^azure\.webpubsub\.sys\.connected$/i, (event, _, options) => options.onConnected?.(event)),
  notification(/^azure\.webpubsub\.sys\.disconnected$/i, (event, { reason }, options) =>
    options.onDisconnected?.({ ...event, reason }),
  ),
  notification(/^azure\.webpubsub\.gp\.joined$/i, (event, { group }, options) =>
    options.onGroupJoined?.({ ...event, group }),
  ),
  notification(/^azure\.webpubsub\.gp\.left$/i, (event, { group }, options) =>
    options.onGroupLeft?.({ ...event, group }),
  ),
];

function notification(
  type: RegExp,
  deliver: (event: EventContext, body: any, options: EventHandlerOptions) => Awaitable<void> | undefined,
): Kind {
  return {
    type,
    async handle(event, body, _, options) {
      await deliver(event, jsonObject(body), options);
      return new Response(null, { status: 204 });
    },
  };
}

/** Source: docs/spec/cloudevents.md#validation. */
function agree(origin: string | null, allowed: string[] | undefined): Response {
  if (origin === null) return text(400, "WebHook-Request-Origin is missing.");
  if (allowed && !allowed.includes(origin.toLowerCase())) return notAllowed(origin);
  return new Response(null, { status: 200, headers: { "webhook-allowed-origin": allowed ? origin : "*" } });
}

/** The service sends one signature a key, and has two keys at most. Source: docs/spec/cloudevents.md#signature. */
const MAX_SIGNATURES = 4;

async function isSigned(header: string, connection: string, keys: SigningKey[]): Promise<boolean> {
  const signatures = header
    .split(",", MAX_SIGNATURES)
    .map((part) => /^\s*sha256=([0-9a-f]{64})\s*$/i.exec(part)?.[1])
    .filter((hex) => hex !== undefined)
    .map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));
  const checks = keys.flatMap((key) => signatures.map((signature) => verify(key, signature, connection)));
  return (await Promise.all(checks)).includes(true);
}

function keysOf(options: Signatures): readonly string[] | undefined {
  if ("verifySignature" in options && options.verifySignature === false) return undefined;
  if ("accessKeys" in options) {
    const { accessKeys } = options;
    if (
      !Array.isArray(accessKeys) ||
      accessKeys.length === 0 ||
      !accessKeys.every((key) => key && typeof key === "string")
    )
      throw new TypeError("accessKeys must be an array of the service's access keys.");
    return accessKeys;
  }
  return [serviceOf(options as ServiceAddress).accessKey];
}

const text = (status: number, detail: string) =>
  new Response(detail, { status, headers: { "content-type": "text/plain; charset=utf-8" } });

const notAllowed = (origin: string) =>
  text(403, `This event handler does not take events of ${origin}: see allowedEndpoints.`);

const withSlash = (path: string) => `${path.toLowerCase().replace(/\/+$/, "")}/`;

function hostOf(endpoint: string): string {
  try {
    return new URL(endpoint).host;
  } catch {
    throw new TypeError(`allowedEndpoints must be URLs such as https://example.com, not "${endpoint}".`);
  }
}
