// An application's event handler: the webhook that the service calls, with CloudEvents over HTTP.
//
// Source: docs/spec/cloudevents.md#requests.
import { type SigningKey, signingKey, verify } from "./hmac.js";
import { type FetchHandler, notFound } from "./node.js";
import { type ServiceAddress, serviceOf } from "./service.js";
import { checkedHub } from "./token.js";

/** What every event says of the connection that it concerns. */
export interface EventContext {
  hub: string;
  connectionId: string;
  /** The event's name: `connect`, or a user event's own, for example. */
  eventName: string;
  /** The user, unless the client is anonymous. */
  userId?: string;
  /** The subprotocol that was chosen, if there is one. */
  subprotocol?: string;
  /** The host of the service that sent the event. */
  origin: string;
  /** The number of the event among its connection's: the same for each attempt to deliver it. */
  id: string;
  /** What `setState` kept for the connection, by name. */
  states: Record<string, any>;
}

/** An event whose answer can keep values for its connection, which come with each later event. */
interface WithState extends EventContext {
  /** Keeps a JSON value for the connection under this name. `undefined` removes it. */
  setState(name: string, value: unknown): void;
}

/** A client asks to be let in. Names of claims, query parameters and headers have one or more values. */
export interface ConnectEvent extends WithState {
  claims: Record<string, string[]>;
  query: Record<string, string[]>;
  headers: Record<string, string[]>;
  /** The subprotocols that the client offers, in its order. */
  subprotocols: string[];
  clientCertificates: { thumbprint: string; content?: string }[];
}

/** What a client is let in with. What is left out stays as its token has it. */
export interface ConnectAnswer {
  userId?: string;
  /** Replaces the token's groups, unless it is empty. */
  groups?: string[];
  /** Replaces the token's roles, also if it is empty. */
  roles?: string[];
  /** One of those offered. */
  subprotocol?: string;
}

/** A client sent an event. */
export interface UserEvent extends WithState {
  /** A string for `text`, a JSON value for `json`, and an `ArrayBuffer` for `binary` and `protobuf`. */
  data: any;
  dataType: "text" | "json" | "binary" | "protobuf";
  /** The message's metadata, by names in lower case. */
  metadata: Record<string, string>;
}

/** A client is connected. */
export type ConnectedEvent = EventContext;

/** A client's connection has ended. */
export interface DisconnectedEvent extends EventContext {
  reason?: string;
}

/** A connection has joined or left a group. */
export interface GroupEvent extends EventContext {
  group: string;
}

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

export interface ReplyOptions {
  /** What the client is sent it as; by the value's type. */
  dataType?: "text" | "json" | "binary" | "protobuf";
  /** The message's metadata, by name. */
  metadata?: Record<string, string>;
}

/** An answer to a user event, made by `reply`. */
export class Reply {
  constructor(
    readonly data: unknown,
    readonly options: ReplyOptions,
  ) {}
}

/** An answer that fails an event, or refuses a client, made by `refuse`. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {}
}

/** Answers a user event with this value, as this type or with metadata. */
export const reply = (data: unknown, options: ReplyOptions = {}): Reply => new Reply(data, options);

/**
 * Refuses a client, or fails a user event. The status is 400 to 599; a client that is refused is given it, with the text.
 * The service tries again after 408 and any 5xx.
 *
 * @throws RangeError for another status.
 */
export function refuse(status: number, detail = ""): Refusal {
  if (!(Number.isInteger(status) && status >= 400 && status <= 599))
    throw new RangeError("The status of a refusal must be 400 to 599.");
  return new Refusal(status, detail);
}

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
    const body = await read(request, maxBodyBytes);
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

/** An event that is not as the service sends it. */
class BadEvent extends Error {}

/** Source: docs/spec/cloudevents.md#validation. */
function agree(origin: string | null, allowed: string[] | undefined): Response {
  if (origin === null) return text(400, "WebHook-Request-Origin is missing.");
  if (allowed && !allowed.includes(origin.toLowerCase())) return notAllowed(origin);
  return new Response(null, { status: 200, headers: { "webhook-allowed-origin": allowed ? origin : "*" } });
}

function contextOf(headers: Headers, origin: string): EventContext {
  const value = (name: string) => utf8(headers.get(name) ?? "");
  const userId = value("ce-userid");
  const subprotocol = value("ce-subprotocol");
  return {
    hub: value("ce-hub"),
    connectionId: value("ce-connectionid"),
    eventName: value("ce-eventname"),
    ...(userId && { userId }),
    ...(subprotocol && { subprotocol }),
    origin,
    id: value("ce-id"),
    states: statesOf(headers.get("ce-connectionstate")),
  };
}

/** A header's value as UTF-8: most platforms give each of its bytes as a character. */
function utf8(value: string): string {
  if (!/[\x80-\xff]/.test(value) || /[^\0-\xff]/.test(value)) return value;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(value, (char) => char.charCodeAt(0)));
  } catch {
    return value;
  }
}

/** States as Microsoft's middleware keeps them: an object as JSON in base64. A state that somebody else set is none. */
function statesOf(header: string | null): Record<string, any> {
  try {
    const states = JSON.parse(new TextDecoder().decode(fromBase64(header ?? "")));
    return typeof states === "object" && states !== null && !Array.isArray(states) ? states : {};
  } catch {
    return {};
  }
}

/** An event that can keep states, and the headers that keep what has been changed. */
function stateful(event: EventContext): [WithState, () => Headers] {
  const states = { ...event.states };
  let changed = false;
  const setState = (name: string, value: unknown) => {
    if (value === undefined) delete states[name];
    else states[name] = value;
    changed = true;
  };
  const headers = () => new Headers(changed ? { "ce-connectionstate": base64(JSON.stringify(states)) } : {});
  return [{ ...event, states, setState }, headers];
}

/** Source: docs/spec/cloudevents.md#user-events. */
function dataOf(body: Uint8Array<ArrayBuffer>, contentType: string): [UserEvent["dataType"], unknown] {
  const [type = ""] = contentType.toLowerCase().split(";");
  switch (type.trim()) {
    case "text/plain":
      return ["text", new TextDecoder().decode(body)];
    case "application/json":
      return ["json", json(body)];
    case "application/x-protobuf":
      return ["protobuf", body.buffer];
    case "application/octet-stream":
      return ["binary", body.buffer];
    default:
      throw new BadEvent(`A user event's content type cannot be "${type.trim()}".`);
  }
}

const METADATA = "x-webpubsub-metadata-";

function metadataOf(headers: Headers): Record<string, string> {
  const metadata: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (name.startsWith(METADATA)) metadata[name.slice(METADATA.length)] = utf8(value);
  });
  return metadata;
}

/** Source: docs/spec/cloudevents.md#answers. */
function answered({ data, options: { dataType, metadata = {} } }: Reply, headers: Headers): Response {
  for (const [name, value] of Object.entries(metadata)) headers.set(`${METADATA}${name}`, value);
  if (data === undefined) return new Response(null, { status: 204, headers });
  const isBytes = data instanceof ArrayBuffer || ArrayBuffer.isView(data);
  const type = dataType ?? (typeof data === "string" ? "text" : isBytes ? "binary" : "json");
  if (type === "text" ? typeof data !== "string" : type !== "json" && !isBytes)
    throw new TypeError(`A reply of type "${type}" must be ${type === "text" ? "a string" : "bytes"}.`);
  headers.set("content-type", CONTENT_TYPES[type]);
  const body = type === "json" ? JSON.stringify(data) : (data as string | ArrayBuffer);
  if (body === undefined) throw new TypeError('A reply of type "json" must be a JSON value.');
  return new Response(body, { headers });
}

const CONTENT_TYPES = {
  text: "text/plain; charset=utf-8",
  json: "application/json; charset=utf-8",
  binary: "application/octet-stream",
  protobuf: "application/x-protobuf",
};

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

/** The whole body, or nothing if it is longer than that. */
async function read(request: Request, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > most) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) break;
    length += value.byteLength;
    if (length > most) {
      await reader?.cancel();
      return undefined;
    }
    chunks.push(value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

function json(body: Uint8Array): any {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new BadEvent("The event's body is not JSON.");
  }
}

function jsonObject(body: Uint8Array): any {
  const value = json(body);
  if (typeof value !== "object" || value === null) throw new BadEvent("The event's body is not a JSON object.");
  return value;
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

function base64(value: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(value)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const fromBase64 = (value: string) => Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
