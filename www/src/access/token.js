// JSON Web Tokens: signed with the access key, and read without a check.

import { base64url, unsignedToken } from "../../../crates/webpubsub-client/npm/src/server/jwt.js";

const encoder = new TextEncoder();

/** Signs claims with an access key (HS256), as the service SDKs do. */
export async function sign(claims, key) {
  if (!globalThis.crypto?.subtle)
    throw new Error("This browser signs tokens only on pages that came by https, or from this machine.");
  const signed = unsignedToken(claims);
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), hmac, false, ["sign"]);
  return `${signed}.${base64url(new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(signed))))}`;
}

/** What a token says. Throws where it is none. */
export function claimsOf(token) {
  const payload = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(payload, (character) => character.charCodeAt(0))));
}
