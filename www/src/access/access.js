// Who uses the page, and how its requests are authorised.
import { request } from "../service/request.js";
import { connectionString, parseConnectionString } from "./connection-string.js";
import { checkWish, makeClientUrl } from "./client-url.js";
import { sign } from "./token.js";

const REMEMBERED = "webpubsub-edge.connection-string";

/** How long a token of a request is good for, in seconds. */
const REQUEST_TOKEN_SECONDS = 300;

/** Signs everything here with an access key, which never leaves the page. */
class KeyCredentials {
  constructor(text) {
    const { endpoint, key } = parseConnectionString(
      text.includes("=") ? text : connectionString(location.origin, text),
    );
    this.endpoint = endpoint;
    this.key = key;
  }

  async headers(path) {
    const exp = Math.floor(Date.now() / 1000) + REQUEST_TOKEN_SECONDS;
    const token = await sign({ aud: `${location.origin}${path}`, exp }, this.key);
    return { authorization: `Bearer ${token}` };
  }

  clientUrl(wish) {
    return makeClientUrl({ endpoint: new URL(location.origin), key: this.key, ...wish });
  }

  /** The one key that is known. */
  keys() {
    return [{ name: "Access", start: this.key.slice(0, 4), reveal: async () => this.key }];
  }
}

export class Access {
  #credentials;
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  get isSignedIn() {
    return this.#credentials !== undefined;
  }

  /** The endpoints of this service that are known, https first. */
  get endpoints() {
    const known = new Set([location.origin, this.#credentials?.endpoint?.origin].filter(Boolean));
    return [...known].sort((a, b) => Number(b.startsWith("https:")) - Number(a.startsWith("https:")));
  }

  /** Signs in with what this browser remembers, if it does. */
  async begin() {
    const kept = localStorage.getItem(REMEMBERED);
    if (kept) await this.signIn(kept, { remember: true }).catch(() => localStorage.removeItem(REMEMBERED));
  }

  /** Signs in with a connection string, or an access key alone. Rejects where the service does not take it. */
  async signIn(text, { remember = false } = {}) {
    const credentials = new KeyCredentials(text.trim());
    const path = "/management/hubs";
    await request("GET", path, { headers: await credentials.headers(path) }).catch((error) => {
      throw error.status === 401 ? new Error("The service does not know this access key.") : error;
    });
    if (remember) localStorage.setItem(REMEMBERED, text.trim());
    this.#set(credentials);
  }

  signOut() {
    localStorage.removeItem(REMEMBERED);
    this.#set(undefined);
  }

  /**
   * A request to this service, authorised. Rejects with a `RequestError` where the answer is no success.
   *
   * @param {string} method
   * @param {string} path below `/management` or `/api`, encoded
   * @param {{ query?: Iterable<[string, string]>, headers?: Record<string, string>, body?: BodyInit, signal?: AbortSignal }} options
   */
  async request(method, path, options = {}) {
    if (!this.#credentials) throw new Error("Sign in first.");
    const own = await this.#credentials.headers(path);
    return request(method, path, { ...options, headers: { ...options.headers, ...own } });
  }

  /**
   * Makes a client URL.
   *
   * @param {import("./client-url.js").Wish} wish
   * @returns {Promise<string>}
   */
  async clientUrl(wish) {
    if (!this.#credentials) throw new Error("Sign in first.");
    checkWish(wish);
    return this.#credentials.clientUrl(wish);
  }

  /**
   * The access keys of the service that are known here, each with its first characters and a way to see it all.
   *
   * @returns {Promise<{ name: string, start: string, reveal: () => Promise<string>, key?: string }[]>}
   */
  async keys() {
    if (!this.#credentials) throw new Error("Sign in first.");
    return this.#credentials.keys();
  }

  #set(credentials) {
    this.#credentials = credentials;
    this.#changed();
  }
}
