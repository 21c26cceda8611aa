// The JSON subprotocols as a page speaks them: text is parsed and printed by the platform's `JSON`.
//
// Source: docs/spec/client.md#messages-to-the-service, docs/spec/client.md#messages-to-the-client.
import { upstream } from "./kinds.js";
import type { WebPubSubMessage } from "./messages.js";
import { checked } from "./payload.js";

/** A payload that is printed already. */
export class Printed {
  constructor(readonly json: string) {}
}

/**
 * Prints a payload, when the application passes it: what cannot be sent is refused there, and later
 * changes to the value do not matter.
 *
 * @throws a `TypeError` for content that does not fit its data type
 */
export function print(content: unknown, dataType: string | undefined): Printed {
  let value = checked(content, dataType);
  if (value instanceof Uint8Array && dataType !== "json") value = base64(value);
  const json = JSON.stringify(value) ?? "null";
  // What JSON has no other word for, such as NaN, is no payload either: the service closes the connection for it.
  if (json === "null") checked(null, dataType);
  return new Printed(json);
}

function base64(bytes: Uint8Array): string {
  let text = "";
  // In pieces, because a call takes only so many arguments.
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** Writes a frame of a client. */
export function writeMessage(message: WebPubSubMessage): string {
  const { kind, data, ...rest } = message as WebPubSubMessage & { data?: unknown; dataType?: string; stream?: any };
  // As Microsoft's does, though a service sends that one.
  if (kind !== "invokeResponse" && !upstream.includes(kind as never)) throw new Error(`Unsupported type: ${kind}`);
  const { stream } = rest;
  const frame = JSON.stringify({
    type: kind === "sendEvent" ? "event" : kind,
    ...rest,
    ...(stream && { stream: { streamId: stream.streamId, idleTimeoutMs: stream.idleTimeoutInMs } }),
  });
  if (data === undefined && rest.dataType === undefined) return frame;
  const { json } = data instanceof Printed ? data : print(data, rest.dataType);
  return `${frame.slice(0, -1)},"data":${json}}`;
}

/**
 * Reads a frame of the service. It gets the `kind` and the `data` that the official SDK gives it; the
 * rest stays as it came. A message that this client does not know is null.
 */
export function parseMessages(input: unknown): WebPubSubMessage | null {
  if (typeof input !== "string") throw new TypeError("A frame of a JSON subprotocol is text.");
  const frame = JSON.parse(input);
  let kind = frame?.type;
  switch (kind) {
    case "message":
      kind = frame.from === "group" ? "groupData" : frame.from === "server" ? "serverData" : undefined;
      frame.data = content(frame);
      if (frame.data == null) return null;
      break;
    case "system":
      kind = frame.event === "connected" || frame.event === "disconnected" ? frame.event : undefined;
      break;
    case "invokeResponse":
      // An answer that cannot be read is one all the same, so that the wait for it ends.
      if (!isReadable(frame)) delete frame.success;
      break;
    case "ack":
    case "cancelInvocation":
    case "pong":
    case "streamAck":
    case "streamNack":
    case "streamClosed":
    case "groupStateSnapshot":
    case "groupStateUpdate":
      break;
    default:
      return null;
  }
  if (!kind) return null;
  frame.kind = kind;
  return frame;
}

/** Whether an answer's payload, if it has one, is what it says. */
function isReadable(frame: any): boolean {
  try {
    return frame.dataType == null || (frame.data = content(frame)) != null;
  } catch {
    return false;
  }
}

function content({ data, dataType }: { data: any; dataType: string }): unknown {
  switch (dataType) {
    case "text":
      if (typeof data !== "string") throw new TypeError("The data of a text message is a string.");
      return data;
    case "json":
      return data;
    case "binary":
    case "protobuf":
      return Uint8Array.from(atob(data), (character) => character.charCodeAt(0)).buffer;
  }
}
