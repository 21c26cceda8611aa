// An operator who watches a hub.
import assert from "node:assert/strict";
import { Socket } from "./socket.mjs";
import { sign } from "./token.mjs";

/** Watches one shard of a hub; `records` are those that have come. */
export async function watch(service, hub, query = "") {
  const path = `/management/hubs/${hub.name}/trace`;
  const authorization = `Bearer ${sign({ aud: service.endpoint + path }, service.key)}`;
  const socket = await Socket.open(`${service.endpoint.replace("http", "ws")}${path}?${query}`, {
    headers: { authorization },
  });
  const watching = await socket.json("the first frame");
  const records = [];
  return {
    socket,
    watching,
    records,
    /** Waits for a record of this kind, and passes over others. */
    async until(kind) {
      for (;;) {
        const { type, records: more } = await socket.json(`a record: ${kind}`);
        assert.equal(type, "records");
        records.push(...more);
        const found = more.find((record) => record.kind === kind);
        if (found) return found;
      }
    },
  };
}
