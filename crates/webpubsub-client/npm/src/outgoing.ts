// Calls → payloads, and what the core sends → messages of the official SDK's shape.
import { type Printed, print, writeMessage } from "./json.js";
import { upstream } from "./kinds.js";
import type { JSONTypes, WebPubSubClientProtocol, WebPubSubDataType, WebPubSubMessage } from "./models.js";
import { checked } from "./payload.js";

/** A payload on its way, and the call that it belongs to. */
export interface Payload {
  call: number;
  dataType: WebPubSubDataType;
  data: JSONTypes | ArrayBuffer | Printed;
}

/**
 * Content as it is now: printed already, or what an application's own protocol gets.
 *
 * @throws a `TypeError` for content that does not fit its data type
 */
export function payloadOf(
  protocol: WebPubSubClientProtocol,
  call: number,
  content: unknown,
  dataType: WebPubSubDataType,
): Payload {
  let data: any;
  if (protocol.writeMessage === writeMessage) data = print(content, dataType);
  else {
    data = checked(content, dataType);
    // A copy, without what else the buffer holds.
    if (dataType !== "json" && data instanceof Uint8Array) data = data.slice().buffer;
  }
  return { call, dataType, data };
}

/** The message that `output.SEND` means. */
export function messageOf(
  place: number,
  name: string | undefined,
  id: string | undefined,
  number: number | undefined,
  flag: boolean,
  payload: Payload | undefined,
): WebPubSubMessage {
  const kind = upstream[place]!;
  const ackId = number !== undefined && { ackId: number };
  const content = payload && { dataType: payload.dataType, data: payload.data };
  switch (kind) {
    case "joinGroup":
    case "leaveGroup":
      return { kind, group: name!, ...ackId };
    case "sendToGroup":
      return { kind, group: name, ...ackId, noEcho: flag, ...content } as WebPubSubMessage;
    case "sendEvent":
      return { kind, event: name, ...ackId, ...content } as WebPubSubMessage;
    case "invoke":
      return { kind, invocationId: id, target: "event", event: name, ...content } as WebPubSubMessage;
    case "cancelInvocation":
      return { kind, invocationId: id! };
    case "sequenceAck":
      return { kind, sequenceId: number! };
    default:
      return { kind: "ping" };
  }
}
