// Connection strings, as the service SDKs read and write them.

/**
 * Reads `Endpoint=…;AccessKey=…;Port=…;`, the way the service SDKs do.
 *
 * @returns {{ endpoint: URL, key: string }}
 */
export function parseConnectionString(text) {
  const parts = new Map();
  for (const part of text.split(";")) {
    const at = part.indexOf("=");
    if (at > 0) parts.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim());
  }
  const key = parts.get("accesskey");
  const written = parts.get("endpoint");
  if (!written) throw new Error("The connection string has no Endpoint.");
  if (!key) throw new Error("The connection string has no AccessKey.");
  let endpoint;
  try {
    endpoint = new URL(/^[a-z]+:\/\//i.test(written) ? written : `https://${written}`);
  } catch {
    throw new Error("The connection string's Endpoint is no URL.");
  }
  if (!["http:", "https:"].includes(endpoint.protocol))
    throw new Error("The connection string's Endpoint is no http or https URL.");
  if (parts.has("port")) endpoint.port = parts.get("port");
  return { endpoint, key };
}

/** Writes one for an endpoint such as `http://localhost:8080`. */
export const connectionString = (endpoint, key) => `Endpoint=${endpoint};AccessKey=${key};Version=1.0;`;
