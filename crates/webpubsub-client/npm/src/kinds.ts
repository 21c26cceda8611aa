// The names of the messages that a client sends, which the core has as numbers.
import type { UpstreamMessageType } from "./messages.js";

/** What a client sends, in the order of the numbers of `../../src/output.rs`. */
export const upstream: UpstreamMessageType[] = [
  "joinGroup",
  "leaveGroup",
  "sendToGroup",
  "sendEvent",
  "invoke",
  "cancelInvocation",
  "sequenceAck",
  "ping",
  "streamData",
  "streamEnd",
  "setGroupState",
  "subscribeGroupState",
  "unsubscribeGroupState",
];
