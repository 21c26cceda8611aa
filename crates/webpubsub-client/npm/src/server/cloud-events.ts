// CloudEvents over HTTP: what the headers and the body of a request mean, and what an answer is written as.
//
// Source: docs/spec/cloudevents.md#requests.
import type { EventContext, Reply, UserEvent, WithState } from "./events.js";

/** An event that is not as the service sends it. */
export class BadEvent extends Error {}

/** What a request's headers say of its event and connection. */
export function contextOf(headers: Headers, origin: string): EventContext {
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
export function stateful(event: EventContext): [WithState, () => Headers] {
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
export function dataOf(body: Uint8Array<ArrayBuffer>, contentType: string): [UserEvent["dataType"], unknown] {
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

/** A message's metadata, by names in lower case. */
export function metadataOf(headers: Headers): Record<string, string> {
  const metadata: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (name.startsWith(METADATA)) metadata[name.slice(METADATA.length)] = utf8(value);
  });
  return metadata;
}

/** Source: docs/spec/cloudevents.md#answers. */
export function answered({ data, options: { dataType, metadata = {} } }: Reply, headers: Headers): Response {
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

/** The whole body, or nothing if it is longer than that. */
export async function readBody(request: Request, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
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

/** A system event's body. */
export function jsonObject(body: Uint8Array): any {
  const value = json(body);
  if (typeof value !== "object" || value === null) throw new BadEvent("The event's body is not a JSON object.");
  return value;
}

function base64(value: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(value)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const fromBase64 = (value: string) => Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
