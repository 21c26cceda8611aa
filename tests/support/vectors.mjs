// The golden vectors of `tests/vectors`, which the Rust tests read too.
import { readFileSync } from "node:fs";

/** The vectors of one file, such as `client-json/upstream`, with long strings spelled out. */
export function readVectors(file) {
  const text = readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), "utf8");
  return JSON.parse(text).vectors.map(spellOut);
}

/** The JSON frame in which a member of the group receives a publish, from a vector's words. */
export function received({ group, dataType, data, metadata }) {
  const payload = {
    text: () => JSON.stringify(data),
    json: () => data,
    binary: () => JSON.stringify(Buffer.from(data, "hex").toString("base64")),
    protobuf: () => JSON.stringify(Buffer.from(data, "hex").toString("base64")),
  }[dataType]();
  const extra = metadata.length > 0 ? `,"metadata":${JSON.stringify(Object.fromEntries(metadata))}` : "";
  return `{"type":"message","from":"group","group":${JSON.stringify(group)},"dataType":"${dataType}","data":${payload}${extra}}`;
}

function spellOut(value) {
  if (value?.parts)
    return value.parts.map((part) => (typeof part === "string" ? part : part.repeat.repeat(part.times))).join("");
  if (Array.isArray(value)) return value.map(spellOut);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, spellOut(inner)]));
}
