// One frame of a client, as a row of the log.
import { dataInWords } from "../parts/words.js";

/** A row keeps so many bytes of its frame; the rest is left out. */
const KEPT_BYTES = 65_536;

const encoder = new TextEncoder();

/** Types of frames that say nothing to people unless they ask for them. */
const CONTROL = new Set(["ping", "pong", "sequenceAck", "PINGREQ", "PINGRESP", "PUBACK"]);

/**
 * @typedef {{
 *   number: number, time: number, direction: "in" | "out" | "note", type: string, isControl: boolean, origin: string,
 *   group?: string, user?: string, dataType?: string, data: string, size: number, ackId?: number, sequenceId?: number,
 *   raw: string, isCut: boolean,
 * }} Frame
 */

/**
 * A row for a frame. `message` is what a subprotocol reads in it; a bare client's frame has none.
 *
 * @param {"in" | "out"} direction
 * @param {string | ArrayBuffer} data
 * @param {any} message
 * @returns {Omit<Frame, "number" | "time">}
 */
export function describeFrame(direction, data, message) {
  const isText = typeof data === "string";
  const size = isText ? sizeOf(data) : data.byteLength;
  const raw = isText ? data.slice(0, KEPT_BYTES) : hex(new Uint8Array(data, 0, Math.min(size, KEPT_BYTES / 4)));
  const common = { direction, size, raw, isCut: isText ? data.length > KEPT_BYTES : size > KEPT_BYTES / 4 };
  if (!message || typeof message !== "object") {
    const dataType = isText ? "text" : "binary";
    return { ...common, type: "message", isControl: false, origin: "", dataType, data: dataInWords(dataType, data) };
  }
  const type = typeOf(message);
  return {
    ...common,
    type,
    isControl: CONTROL.has(type),
    origin: type === "message" ? (message.from ?? (message.kind === "groupData" ? "group" : "server")) : type,
    group: message.group ?? undefined,
    user: message.fromUserId ?? message.userId ?? undefined,
    dataType: message.dataType,
    data: contentOf(type, message),
    ackId: message.ackId,
    sequenceId: message.sequenceId,
  };
}

/** A row that is no frame: what happened to the connection. */
export const describeNote = (data) => ({
  direction: /** @type {const} */ ("note"),
  type: "note",
  isControl: false,
  origin: "note",
  data,
  size: 0,
  raw: data,
  isCut: false,
});

function typeOf({ type, kind }) {
  if (type) return type;
  return { sendEvent: "event", groupData: "message", serverData: "message" }[kind] ?? kind ?? "message";
}

/** What there is to read in a message, in one line. */
function contentOf(type, message) {
  if (message.data !== undefined) return dataInWords(message.dataType, decodedData(message));
  if (type === "ack") return message.success ? "success" : errorOf(message.error);
  if (type === "system") return [message.event, message.connectionId, message.message].filter(Boolean).join(" ");
  if (type === "invokeResponse" && !message.success) return errorOf(message.error);
  return message.event ?? message.message ?? message.stream?.streamId ?? message.streamId ?? "";
}

/** Bytes stand in JSON as base64. */
function decodedData({ dataType, data }) {
  if (typeof data !== "string" || !["binary", "protobuf"].includes(dataType)) return data;
  try {
    return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  } catch {
    return data;
  }
}

const errorOf = (error) => [error?.name, error?.message].filter(Boolean).join(": ") || "failed";

/** Bytes of a text in UTF-8, without encoding a short one of ASCII. */
function sizeOf(text) {
  for (let index = 0; index < text.length; index++)
    if (text.charCodeAt(index) > 127) return encoder.encode(text).length;
  return text.length;
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
