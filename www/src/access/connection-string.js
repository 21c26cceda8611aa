// Connection strings, as servers read and write them.
import { serviceOf } from "../../../crates/webpubsub-client/npm/src/server/service.ts";

/**
 * Reads `Endpoint=…;AccessKey=…;Port=…;`.
 *
 * @returns {{ endpoint: URL, key: string }}
 */
export function parseConnectionString(text) {
  const { endpoint, accessKey } = serviceOf({ connectionString: text });
  return { endpoint: new URL(endpoint), key: accessKey };
}

/** Writes one for an endpoint such as `http://localhost:8080`. */
export const connectionString = (endpoint, key) => `Endpoint=${endpoint};AccessKey=${key};Version=1.0;`;
