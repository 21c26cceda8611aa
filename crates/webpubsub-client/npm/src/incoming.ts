// Frames → the core's inputs.
import type { Client as Core } from "#core";
import { parseMessages } from "./json.js";
import type { WebPubSubClientProtocol, WebPubSubMessage } from "./models.js";
import { asNumber, asText, report } from "./values.js";

/** Has a protocol read a frame, and the core take what it says. */
export function read(protocol: WebPubSubClientProtocol, frame: any, core: Core, attempt: number) {
  let messages: WebPubSubMessage[] | WebPubSubMessage | null = null;
  try {
    messages = protocol.parseMessages(frame);
  } catch (error) {
    // What is no JSON from the service says nothing. What an application's own protocol throws does.
    if (protocol.parseMessages !== parseMessages) report(error);
  }
  // Whatever it says, it is a sign of life.
  if (!Array.isArray(messages)) return take(messages, core, attempt);
  for (const message of messages) take(message, core, attempt);
  if (messages.length === 0) core.received(attempt);
}

function take(message: any, core: Core, attempt: number) {
  const { kind, ackId, success, error, invocationId } = message ?? {};
  switch (kind) {
    case "groupData":
    case "serverData":
    case "streamAck":
    case "streamNack":
    case "streamClosed":
    case "groupStateSnapshot":
    case "groupStateUpdate":
      return core.data(attempt, asNumber(message.sequenceId), message);
    case "ack":
      if (typeof ackId !== "number" || typeof success !== "boolean") break;
      if (success) return core.acknowledged(attempt, ackId);
      return core.refused(attempt, ackId, asText(error?.name), asText(error?.message));
    case "connected": {
      const { connectionId, userId, reconnectionToken } = message;
      return core.connected(attempt, asText(connectionId), asText(userId), asText(reconnectionToken) || undefined);
    }
    case "disconnected":
      return core.disconnecting(attempt, asText(message.message));
    case "invokeResponse": {
      const id = asText(invocationId);
      if (success === true) return core.answered(attempt, id, message);
      const name = error ? asText(error.name) : undefined;
      return core.answerFailed(attempt, id, success === false, name, asText(error?.message));
    }
  }
  core.received(attempt);
}
