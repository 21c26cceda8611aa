// The golden vectors of `tests/vectors`, which the Rust tests read too.
import { readFileSync } from "node:fs";

/**
 * The vectors of one file, such as `client-json/upstream`, with long strings spelled out.
 * @param {string} file
 * @returns {any[]} What is in them is the file's to say.
 */
export function readVectors(file) {
  const text = readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), "utf8");
  return JSON.parse(text).vectors.map(spellOut);
}

/**
 * The JSON frame in which a member of the group receives a publish, from a vector's words.
 * @param {{ group: string, dataType: string, data: string, metadata: [key: string, value: string][] }} words
 */
export function received({ group, dataType, data, metadata }) {
  const payload =
    dataType === "json"
      ? data
      : JSON.stringify(dataType === "text" ? data : Buffer.from(data, "hex").toString("base64"));
  const extra = metadata.length > 0 ? `,"metadata":${JSON.stringify(Object.fromEntries(metadata))}` : "";
  return `{"type":"message","from":"group","group":${JSON.stringify(group)},"dataType":"${dataType}","data":${payload}${extra}}`;
}

/**
 * A long string, in parts that may be repeated.
 * @typedef {{ parts: (string | { repeat: string, times: number })[] }} LongString
 */

/**
 * @param {unknown} value
 * @returns {unknown}
 */
function spellOut(value) {
  if (Array.isArray(value)) return value.map(spellOut);
  if (value === null || typeof value !== "object") return value;
  if ("parts" in value) {
    const { parts } = /** @type {LongString} */ (value);
    return parts.map((part) => (typeof part === "string" ? part : part.repeat.repeat(part.times))).join("");
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, spellOut(inner)]));
}
