// One record of the trace as a row of a log.
import { dataInWords } from "../parts/words.js";

const DIRECTIONS = { received: "in", delivered: "out" };

/** Describes a record as a row: see `Frame` of the playground. */
export function describeRecord(record, shard) {
  const { kind, connectionId, userId, group, bytes, data } = record;
  return {
    time: record.time,
    direction: DIRECTIONS[kind] ?? "note",
    type: kind,
    isControl: false,
    origin: kind,
    group: group ?? undefined,
    user: userId ?? connectionId ?? undefined,
    dataType: data?.dataType ?? record.type,
    data: contentOf(record),
    size: bytes ?? 0,
    raw: JSON.stringify({ shard, ...record }),
    isCut: false,
  };
}

function contentOf(record) {
  const { kind, data, receivers } = record;
  const payload = data ? dataInWords(data.dataType === "json" ? "text" : data.dataType, data.data) : "";
  switch (kind) {
    case "connected":
      return record.subprotocol ?? "without a subprotocol";
    case "disconnected":
      return record.reason ?? "";
    case "received":
      return [record.event, payload].filter(Boolean).join(" ");
    case "delivered":
      return [`to ${receivers}`, payload].filter(Boolean).join(": ");
    case "command":
      return [record.operation, record.target, record.name].filter(Boolean).join(" ");
    case "called":
      return [record.event, record.status ?? record.error, record.message].filter((part) => part != null).join(" ");
    default:
      return "";
  }
}
