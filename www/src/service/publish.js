// A message of a server's, sent over REST.

/** Sends a text to all connections of a hub. */
export async function publish(access, { hub, text }) {
  const path = `/api/hubs/${encodeURIComponent(hub)}/:send`;
  await access.request("POST", path, { headers: { "content-type": "text/plain" }, body: text });
}
