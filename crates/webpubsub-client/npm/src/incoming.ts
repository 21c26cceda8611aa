// Frames → the core's inputs.
import type { Core } from "./allowance.js";
import { parseMessages } from "./json.js";
import type { WebPubSubClientProtocol, WebPubSubMessage } from "./models.js";
import * as input from "./inputs.js";
import { asText, report } from "./values.js";

/** Passes a data message to the application. */
export type Raise = (message: any) => void;

/** Has a protocol read a frame, and the core take what it says. */
export function read(
  protocol: WebPubSubClientProtocol,
  frame: any,
  core: Core,
  attempt: number,
  raise: Raise,
): unknown {
  let messages: WebPubSubMessage[] | WebPubSubMessage | null = null;
  try {
    messages = protocol.parseMessages(frame);
  } catch (error) {
    // What is no JSON from the service says nothing. What an application's own protocol throws does.
    if (protocol.parseMessages !== parseMessages) report(error);
  }
  // Whatever it says, it is a sign of life.
  if (!Array.isArray(messages)) return take(messages, core, attempt, raise);
  for (const message of messages) take(message, core, attempt, raise);
  return messages.length || core.input(input.RECEIVED, attempt);
}

function take(message: any, core: Core, attempt: number, raise: Raise): unknown {
  switch (message?.kind) {
    case "groupData":
    case "serverData":
    case "streamAck":
    case "streamNack":
    case "streamClosed":
    case "groupStateSnapshot":
    case "groupStateUpdate":
      return core.data(attempt, message, raise);
    case "ack": {
      const { ackId, success, error } = message;
      if (typeof ackId !== "number" || typeof success !== "boolean") break;
      if (success) return core.input(input.ACKNOWLEDGED, attempt, ackId);
      return core.input(input.REFUSED, attempt, ackId, asText(error?.name), asText(error?.message));
    }
    case "connected": {
      const { connectionId, userId, reconnectionToken } = message;
      return core.input(input.CONNECTED, attempt, 0, asText(connectionId), asText(userId), asText(reconnectionToken));
    }
    case "disconnected":
      return core.input(input.DISCONNECTING, attempt, 0, asText(message.message));
    case "invokeResponse": {
      const { success, error } = message;
      const id = asText(message.invocationId);
      if (success === true) return core.input(input.ANSWERED, attempt, 0, id, message);
      if (success !== false) return core.input(input.ANSWER_UNREADABLE, attempt, 0, id);
      const saysWhy = error ? 1 : 0;
      return core.input(input.ANSWER_REFUSED, attempt, saysWhy, id, asText(error?.name), asText(error?.message));
    }
  }
  return core.input(input.RECEIVED, attempt);
}
