// Payloads and errors as people read them.

/** Longest piece of a payload that is shown, in characters. */
const SHOWN = 4000;

/** The payload of a message as text, cut where it is too long to look at. */
export function dataInWords(dataType, data) {
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return bytesInWords(data);
  const text = dataType === "json" ? JSON.stringify(data) : String(data);
  return text.length > SHOWN
    ? `${text.slice(0, SHOWN)}… (${(text.length - SHOWN).toLocaleString()} more characters)`
    : text;
}

function bytesInWords(data) {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  const hex = Array.from(bytes.subarray(0, 64), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const size = `${bytes.length.toLocaleString()} ${bytes.length === 1 ? "byte" : "bytes"}`;
  return bytes.length > 64 ? `${hex} … (${size})` : `${hex} (${size})`;
}

/** What went wrong, with what the service said about it. */
export function errorInWords(error) {
  const detail = error?.errorDetail;
  if (detail?.message) return detail.name ? `${detail.name}: ${detail.message}` : detail.message;
  return error?.message || String(error);
}

/**
 * Why a connection ended, from what the client knows of it.
 *
 * @param {{ message?: { message?: string }, code?: number, reason?: string }} end
 */
export function endInWords({ message, code, reason } = {}) {
  const said = message?.message || reason;
  if (said) return said;
  return code === undefined || code === 1000 || code === 1005 ? "" : `code ${code}`;
}

/** A number of bytes. */
export function sizeInWords(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** The hour and minute of a moment. */
export const clock = (time) => new Date(time).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });

const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A moment to the second, with its day where that is not today. */
export function moment(time) {
  const date = new Date(time);
  return (date.toDateString() === new Date().toDateString() ? timeOfDay : dayAndTime).format(date);
}
