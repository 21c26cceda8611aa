// Client URLs: made and signed here, or pasted and read. Nothing in this file touches the page.

const encoder = new TextEncoder();

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

/**
 * Makes a client URL as a server with the access key would.
 *
 * @param {{ connectionString: string, hub: string, user?: string, roles?: string[], groups?: string[], minutes?: number }} wish
 */
export async function makeClientUrl({ connectionString, hub, user = "", roles = [], groups = [], minutes = 60 }) {
  const { endpoint, key } = parseConnectionString(connectionString);
  if (!/^[A-Za-z][\w`,.[\]]{0,127}$/.test(hub)) {
    throw new Error("A hub's name is a letter and up to 127 more letters, digits or underscores.");
  }
  if (!Number.isInteger(minutes) || minutes < 1)
    throw new Error("The minutes until it expires are a whole number from 1.");
  const audience = `${endpoint.origin}/client/hubs/${hub}`;
  const now = Math.floor(Date.now() / 1000);
  const claims = { aud: audience, iat: now, exp: now + minutes * 60 };
  if (user) claims.sub = user;
  if (roles.length > 0) claims.role = roles;
  if (groups.length > 0) claims["webpubsub.group"] = groups;
  return `${audience.replace(/^http/, "ws")}?access_token=${await sign(claims, key)}`;
}

async function sign(claims, key) {
  const signed = [{ alg: "HS256", typ: "JWT" }, claims]
    .map((part) => base64url(encoder.encode(JSON.stringify(part))))
    .join(".");
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), hmac, false, ["sign"]);
  return `${signed}.${base64url(new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(signed))))}`;
}

function base64url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Says in words what a client URL would do, or why it is none.
 *
 * @returns {{ url: string, says: string }} `says` is one sentence about hub, user and expiry.
 */
export function readClientUrl(text) {
  const url = parseUrl(text.trim());
  const hub = /^\/client\/hubs\/([^/]+)\/?$/i.exec(url.pathname)?.[1] ?? url.searchParams.get("hub");
  if (!hub) throw new Error("This is no client URL: its path should be /client/hubs/ and the name of a hub.");
  const claims = claimsOf(url);
  const who = claims?.sub ? `as ${claims.sub}` : "without a user";
  const expiry = typeof claims?.exp === "number" ? expiryInWords(claims.exp - Date.now() / 1000) : "";
  return {
    url: url.href,
    says: claims
      ? `Hub ${decodeURIComponent(hub)} at ${url.host}, ${who}${expiry}.`
      : `Hub ${hub} at ${url.host}, without a token.`,
  };
}

function parseUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new Error("This is no URL. A client URL begins with ws:// or wss://.");
  }
  if (!["ws:", "wss:"].includes(url.protocol))
    throw new Error("This is no client URL: it should begin with ws:// or wss://.");
  return url;
}

function claimsOf(url) {
  const token = [...url.searchParams].find(([name]) => name.toLowerCase() === "access_token")?.[1];
  if (!token) return undefined;
  try {
    const payload = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(payload, (character) => character.charCodeAt(0))));
  } catch {
    throw new Error("The URL's access token is malformed: it should be three parts with dots between them.");
  }
}

function expiryInWords(seconds) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  const span = minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
  return seconds < 0 ? `; its token expired ${span} ago` : `; its token expires in ${span}`;
}
