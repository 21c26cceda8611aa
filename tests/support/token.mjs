// Tokens as the SDKs sign them, and tokens that must not be accepted.
import { createHmac } from "node:crypto";
import { present } from "./found.mjs";

/** @param {string | object} value */
const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
/** @type {Record<string, string>} */
const hashes = { HS256: "sha256", HS384: "sha384", HS512: "sha512" };

/**
 * Seconds since 1970, `minutes` from now.
 * @param {number} minutes
 */
export const inMinutes = (minutes) => Math.floor(Date.now() / 1000) + Math.round(minutes * 60);

/**
 * A JWT of these claims, an object or its JSON; `alg: "none"` leaves it unsigned. Without `exp` in an object it lives
 * for an hour.
 * @param {string | object} claims
 * @param {import("node:crypto").BinaryLike} key
 * @param {{ alg?: string, header?: object }} options
 */
export function sign(claims, key, { alg = "HS256", header = {} } = {}) {
  const signed = `${encode({ alg, typ: "JWT", ...header })}.${encode(typeof claims === "string" || "exp" in claims ? claims : { ...claims, exp: inMinutes(60) })}`;
  const signature = alg === "none" ? "" : createHmac(hashes[alg], key).update(signed).digest("base64url");
  return `${signed}.${signature}`;
}

/**
 * The claims of a client token: what the service SDKs put into one.
 * @param {{ audience: string, user?: string, roles?: string | string[], groups?: string[], minutes?: number }} client
 */
export function clientClaims({ audience, user, roles, groups, minutes = 60 }) {
  return {
    aud: audience,
    iat: inMinutes(0),
    exp: inMinutes(minutes),
    ...(user === undefined ? {} : { sub: user }),
    ...(roles ? { role: roles } : {}),
    ...(groups ? { "webpubsub.group": groups } : {}),
  };
}

/**
 * What a token says, its signature unchecked.
 * @param {string | null} token
 */
export const claimsOf = (token) =>
  JSON.parse(Buffer.from(present(token, "a token").split(".")[1], "base64url").toString());
