/** What a hub's name is. */
export declare const HUB: RegExp;

/** The longest name of a group. */
export declare const MAX_GROUP_CHARACTERS: number;

/** Times are in seconds since the Unix epoch. */
export interface Claims {
  aud: string;
  iat: number;
  exp: number;
  [name: string]: unknown;
}

/** A client, as far as its token says it. */
export interface Client {
  userId?: string;
  roles?: string[];
  groups?: string[];
  /** How long the token is good for; 60. */
  minutes?: number;
}

/** The claims of a token for one URL that is good for some minutes. `now` is in milliseconds. */
export declare function claimsFor(audience: string, minutes: number, now: number): Claims;

/** The claims of a client's token: what it is not or has not is no claim. `now` is in milliseconds. */
export declare function clientClaims(audience: string, client: Client, now: number): Claims;

/** What is signed of a token (HS256): its head and its claims. */
export declare function unsignedToken(claims: object): string;

/** Bytes as base64 for URLs, without padding. */
export declare function base64url(bytes: Uint8Array): string;
