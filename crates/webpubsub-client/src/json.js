// The JSON subprotocols as a page speaks them: text is parsed and printed by the platform's `JSON`.
//
// Source: docs/spec/client.md#messages-to-the-service, docs/spec/client.md#messages-to-the-client.

/**
 * Reads a frame. A data message gets the `kind` and the `data` that the official SDK gives it; the
 * rest stays as it came. What is no frame, or none that this client knows, is `undefined`.
 */
export function decode(text) {
  try {
    const frame = JSON.parse(text);
    switch (frame.type) {
      case "message":
        frame.data = content(frame);
        frame.kind = frame.from === "group" ? "groupData" : frame.from === "server" ? "serverData" : undefined;
        return frame.kind && frame.data != null ? frame : undefined;
      case "ack":
        return typeof frame.ackId === "number" && typeof frame.success === "boolean" ? frame : undefined;
      case "invokeResponse":
        return isReadable(frame) ? frame : { ...frame, success: undefined };
      case "system":
        return frame;
    }
  } catch {
    // Not JSON, or nothing that has properties.
  }
}

/** Which of the session's messages a frame is: the number of an `Incoming` in `convert.rs`. */
export function kindOf(frame) {
  switch (frame.type) {
    case "message":
      return 1;
    case "ack":
      return 2;
    case "invokeResponse":
      return 5;
    default:
      return frame.event === "connected" ? 3 : frame.event === "disconnected" ? 4 : 0;
  }
}

/** Whether an answer's payload, if it has one, is what it says. One that is not is no answer. */
function isReadable(frame) {
  try {
    return frame.dataType == null || (frame.data = content(frame)) != null;
  } catch {
    return false;
  }
}

function content({ data, dataType }) {
  switch (dataType) {
    case "text":
      return typeof data === "string" ? data : undefined;
    case "json":
      return data;
    case "binary":
    case "protobuf":
      return Uint8Array.from(atob(data), (character) => character.charCodeAt(0)).buffer;
  }
}

/**
 * The payload's part of a frame. It is printed when the application passes it: what cannot be
 * sent is refused there, and later changes to the value do not matter.
 */
export function payload(value, dataType) {
  switch (dataType) {
    case "text":
      if (typeof value !== "string") throw new TypeError("Message must be a string.");
      break;
    case "binary":
    case "protobuf":
      value = base64(value);
      break;
    case "json":
      break;
    default:
      throw new TypeError(`Unknown data type: ${dataType}`);
  }
  const data = JSON.stringify(value) ?? "null";
  if (data === "null") throw new TypeError("Message must be a JSON value other than null.");
  return `,"dataType":"${dataType}","data":${data}}`;
}

function base64(value) {
  let bytes;
  if (value instanceof ArrayBuffer) bytes = new Uint8Array(value);
  else if (ArrayBuffer.isView(value)) bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  else throw new TypeError("Message must be a ArrayBuffer");
  let text = "";
  // In pieces, because a call takes only so many arguments.
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

export const joinGroup = (group, ackId) => JSON.stringify({ type: "joinGroup", group, ackId });
export const leaveGroup = (group, ackId) => JSON.stringify({ type: "leaveGroup", group, ackId });
export const sendToGroup = (group, ackId, noEcho, payload) =>
  JSON.stringify({ type: "sendToGroup", group, ackId, noEcho }).slice(0, -1) + payload;
export const sendEvent = (event, ackId, payload) =>
  JSON.stringify({ type: "event", event, ackId }).slice(0, -1) + payload;
export const invoke = (invocationId, event, payload) =>
  JSON.stringify({ type: "invoke", invocationId, target: "event", event }).slice(0, -1) + payload;
export const cancelInvocation = (invocationId) => JSON.stringify({ type: "cancelInvocation", invocationId });
export const sequenceAck = (sequenceId) => JSON.stringify({ type: "sequenceAck", sequenceId });
export const ping = () => '{"type":"ping"}';
export const other = (message, ackId) => (ackId === undefined ? message : `${message.slice(0, -1)},"ackId":${ackId}}`);
