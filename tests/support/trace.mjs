// An operator who watches a hub.
import assert from "node:assert/strict";
import { Socket } from "./socket.mjs";
import { sign } from "./token.mjs";

/**
 * One thing that happened in a hub, as operators see it.
 * @typedef {{ kind: string, time: number, [member: string]: any }} TraceRecord
 */

/**
 * Watches one shard of a hub; `records` are those that have come.
 * @param {import("./service.mjs").Service} service
 * @param {import("./hub.mjs").Hub} hub
 */
export async function watch(service, hub, query = "") {
  const path = `/management/hubs/${hub.name}/trace`;
  const authorization = `Bearer ${sign({ aud: service.endpoint + path }, service.key)}`;
  const socket = await Socket.open(`${service.endpoint.replace("http", "ws")}${path}?${query}`, {
    headers: { authorization },
  });
  const watching = await socket.json("the first frame");
  /** @type {TraceRecord[]} */
  const records = [];
  return {
    socket,
    watching,
    records,
    /**
     * Waits for a record of this kind, and passes over others.
     * @param {string} kind
     * @returns {Promise<TraceRecord>}
     */
    async until(kind) {
      for (;;) {
        /** @type {{ type: string, records: TraceRecord[] }} */
        const { type, records: more } = await socket.json(`a record: ${kind}`);
        assert.equal(type, "records");
        records.push(...more);
        const found = more.find((record) => record.kind === kind);
        if (found) return found;
      }
    },
  };
}
