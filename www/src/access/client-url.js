// Client URLs: made and signed here, or pasted and read. Nothing in this file touches the page.
import { clientClaims, HUB } from "../../../crates/webpubsub-client/npm/src/server/jwt.js";
import { claimsOf, sign } from "./token.js";

/**
 * What a client URL is for.
 *
 * @typedef {{ hub: string, user?: string, roles?: string[], groups?: string[], minutes?: number, isMqtt?: boolean }} Wish
 */

/** Throws what is wrong with a wish, in words. */
export function checkWish({ hub, minutes = 60 }) {
  if (!HUB.test(hub)) throw new Error("A hub's name is a letter and up to 127 more letters, digits or underscores.");
  if (!Number.isInteger(minutes) || minutes < 1)
    throw new Error("The minutes until it expires are a whole number from 1.");
}

/** Where clients of a hub connect, which is their tokens' audience. */
export const clientAddress = (origin, hub, isMqtt) => `${origin}/${isMqtt ? "clients/mqtt" : "client"}/hubs/${hub}`;

/**
 * Makes a client URL as a server with the access key would.
 *
 * @param {{ endpoint: URL, key: string } & Wish} wish
 */
export async function makeClientUrl({ endpoint, key, hub, user, roles, groups, minutes = 60, isMqtt = false }) {
  checkWish({ hub, minutes });
  const audience = clientAddress(endpoint.origin, hub, isMqtt);
  const claims = clientClaims(audience, { userId: user || undefined, roles, groups, minutes }, Date.now());
  return `${audience.replace(/^http/, "ws")}?access_token=${await sign(claims, key)}`;
}

/**
 * Says in words what a client URL would do, or why it is none.
 *
 * @returns {{ url: string, hub: string, isMqtt: boolean, claims?: any, says: string }} `says` is one sentence about hub, user and expiry.
 */
export function readClientUrl(text) {
  const url = parseUrl(text.trim());
  const [, kind, inPath] = /^\/(client|clients\/mqtt)\/hubs\/([^/]+)\/?$/i.exec(url.pathname) ?? [];
  const isMqtt = kind?.toLowerCase() === "clients/mqtt";
  const named = inPath ?? url.searchParams.get("hub");
  if (!named) throw new Error("This is no client URL: its path should be /client/hubs/ and the name of a hub.");
  const hub = decodeURIComponent(named);
  const claims = tokenOf(url);
  const who = claims?.sub ? `as ${claims.sub}` : "without a user";
  const expiry = typeof claims?.exp === "number" ? expiryInWords(claims.exp - Date.now() / 1000) : "";
  return {
    url: url.href,
    hub,
    isMqtt,
    claims,
    says: claims ? `Hub ${hub} at ${url.host}, ${who}${expiry}.` : `Hub ${hub} at ${url.host}, without a token.`,
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

function tokenOf(url) {
  const token = [...url.searchParams].find(([name]) => name.toLowerCase() === "access_token")?.[1];
  if (!token) return undefined;
  try {
    return claimsOf(token);
  } catch {
    throw new Error("The URL's access token is malformed: it should be three parts with dots between them.");
  }
}

function expiryInWords(seconds) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  const span = minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
  return seconds < 0 ? `; its token expired ${span} ago` : `; its token expires in ${span}`;
}
