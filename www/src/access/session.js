// Sessions: signing in once with the operator's secret or a ticket, without a key in the page.
//
// The contract: docs/management.md#sessions.
import { request } from "../service/request.js";
import { clientAddress } from "./client-url.js";

const PATH = "/management/session";
const HEADERS = { "x-portal": "1" };

/** Everything is authorised by the cookie, which no script reads. */
export class SessionCredentials {
  isSession = true;

  async headers() {
    return HEADERS;
  }

  async clientUrl({ hub, user, roles = [], groups = [], minutes = 60, isMqtt = false }) {
    const query = [
      ...(user ? [["userId", user]] : []),
      ...roles.map((role) => ["role", role]),
      ...groups.map((group) => ["group", group]),
      ["minutesToExpire", String(minutes)],
      ...(isMqtt ? [["clientType", "MQTT"]] : []),
    ];
    const path = `/api/hubs/${encodeURIComponent(hub)}/:generateToken`;
    const { json } = await request("POST", path, { query, headers: HEADERS });
    const audience = clientAddress(location.origin, hub, isMqtt);
    return `${audience.replace(/^http/, "ws")}?access_token=${json.token}`;
  }

  async end() {
    await request("DELETE", PATH, { headers: HEADERS });
  }
}

/** Whether signing in is on, and was done. */
export async function sessionState() {
  const { json } = await request("GET", PATH);
  return json;
}

/** Signs in with `{ secret }` or `{ ticket }`. */
export async function beginSession(proof) {
  await request("POST", PATH, {
    headers: { ...HEADERS, "content-type": "application/json" },
    body: JSON.stringify(proof),
  });
  return new SessionCredentials();
}

/** Where this tab keeps at which port https is. */
const HTTPS = "webpubsub-edge.https";

/**
 * The ticket of a link that signs in. It is taken out of the address, so that it is nowhere in the history. The port of
 * https stays with the tab.
 */
export function takeTicket() {
  const given = new URLSearchParams(location.hash.slice(1));
  const ticket = given.get("ticket");
  if (!ticket) return undefined;
  history.replaceState(null, "", location.pathname);
  const port = given.get("https");
  if (port) sessionStorage.setItem(HTTPS, port);
  return ticket;
}

/** Where https is beside the http that the page came by, if that is known. A link names no other host. */
export function secureOrigin() {
  const port = Number(sessionStorage.getItem(HTTPS));
  if (location.protocol !== "http:" || !(Number.isInteger(port) && port > 0 && port < 65_536)) return undefined;
  return new URL(`https://${location.hostname}:${port}`).origin;
}
