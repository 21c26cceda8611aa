// JSON Web Tokens: signed with the access key, and read without a check.

const encoder = new TextEncoder();

/** Signs claims with an access key (HS256), as the service SDKs do. */
export async function sign(claims, key) {
  if (!globalThis.crypto?.subtle)
    throw new Error("This browser signs tokens only on pages that came by https, or from this machine.");
  const signed = [{ alg: "HS256", typ: "JWT" }, claims]
    .map((part) => base64url(encoder.encode(JSON.stringify(part))))
    .join(".");
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), hmac, false, ["sign"]);
  return `${signed}.${base64url(new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(signed))))}`;
}

/** What a token says. Throws where it is none. */
export function claimsOf(token) {
  const payload = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(payload, (character) => character.charCodeAt(0))));
}

function base64url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
