// Client access tokens: JSON Web Tokens, signed with an access key.
import { type SigningKey, sign, signingKey } from "./hmac.js";
import { base64url, clientClaims, HUB, MAX_GROUP_CHARACTERS, unsignedToken } from "./jwt.js";
import { type ServiceAddress, serviceOf } from "./service.js";

/** What a client is, and what it may do. */
export interface ClientTokenOptions {
  /** Who it is. An anonymous client has none. */
  userId?: string;
  /** What it may do, such as `webpubsub.sendToGroup.room` or `webpubsub.joinLeaveGroup`. */
  roles?: string[];
  /** The groups that it is a member of from the beginning. */
  groups?: string[];
  /** How long a connection can be opened with it, in minutes, more than 0; 60. */
  expirationTimeInMinutes?: number;
}

/** A token, and the URL that a client connects to with it. */
export interface ClientAccessToken {
  token: string;
  /** The hub's address for clients, without the token. */
  baseUrl: string;
  /** The client access URL: the address with the token. */
  url: string;
}

/**
 * Makes a client access token and its URL.
 *
 * @throws TypeError or RangeError for options that are wrong.
 */
export async function getClientAccessToken(
  options: ServiceAddress & { hub: string },
  client: ClientTokenOptions = {},
): Promise<ClientAccessToken> {
  return tokenMaker(options)(client);
}

/** Makes tokens for clients of one hub, with a key that is imported once. */
export function tokenMaker(
  options: ServiceAddress & { hub: string },
): (client: ClientTokenOptions) => Promise<ClientAccessToken> {
  const { endpoint, accessKey } = serviceOf(options);
  const hub = checkedHub(options.hub);
  const key = signingKey(accessKey);
  const audience = `${endpoint}/client/hubs/${hub}`;
  const baseUrl = audience.replace(/^http/, "ws");
  return async (client) => {
    const token = await signed(key, claims(audience, client));
    return { token, baseUrl, url: `${baseUrl}?access_token=${token}` };
  };
}

/** Returns a hub's name that is one. */
export function checkedHub(hub: string): string {
  if (typeof hub !== "string" || !HUB.test(hub))
    throw new TypeError("hub must be 1 to 128 letters, digits or any of _ ` , . [ ], and begin with a letter.");
  return hub;
}

function claims(audience: string, client: ClientTokenOptions): object {
  const { userId, roles, groups, expirationTimeInMinutes = 60 } = client;
  if (userId !== undefined && typeof userId !== "string") throw new TypeError("userId must be a string.");
  checkTexts("roles", roles);
  checkTexts("groups", groups);
  for (const group of groups ?? []) {
    if (group.trim() === "" || [...group].length > MAX_GROUP_CHARACTERS)
      throw new RangeError(`A group's name must be 1 to ${MAX_GROUP_CHARACTERS} characters and not only blanks.`);
  }
  if (!(expirationTimeInMinutes > 0 && Number.isFinite(expirationTimeInMinutes)))
    throw new RangeError("expirationTimeInMinutes must be a number above 0.");
  return clientClaims(audience, { userId, roles, groups, minutes: expirationTimeInMinutes }, Date.now());
}

function checkTexts(name: string, texts: string[] | undefined): void {
  if (texts !== undefined && !(Array.isArray(texts) && texts.every((text) => typeof text === "string")))
    throw new TypeError(`${name} must be an array of strings.`);
}

async function signed(key: SigningKey, claims: object): Promise<string> {
  const content = unsignedToken(claims);
  return `${content}.${base64url(await sign(key, content))}`;
}
