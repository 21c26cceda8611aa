// JSON Web Tokens before they are signed, and what those of clients say.
//
// Servers, the page and the scripts all make them here. It is JavaScript, since scripts begin on a Node that reads no
// TypeScript; types are in `jwt.d.ts`.

export const HUB = /^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/;
export const MAX_GROUP_CHARACTERS = 1_024;

export function claimsFor(audience, minutes, now) {
  const issued = Math.floor(now / 1000);
  return { aud: audience, iat: issued, exp: issued + Math.ceil(minutes * 60) };
}

export function clientClaims(audience, { userId, roles, groups, minutes = 60 }, now) {
  return {
    ...claimsFor(audience, minutes, now),
    ...(userId !== undefined && { sub: userId }),
    ...(roles?.length && { role: roles }),
    ...(groups?.length && { "webpubsub.group": groups }),
  };
}

export function unsignedToken(claims) {
  const part = (value) => base64url(new TextEncoder().encode(JSON.stringify(value)));
  return `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
}

export function base64url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
