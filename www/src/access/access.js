// Who uses the page, and how its requests are authorised.
import { request } from "../service/request.js";
import { connectionString, parseConnectionString } from "./connection-string.js";
import { checkWish, makeClientUrl } from "./client-url.js";
import { beginSession, SessionCredentials, secureOrigin, sessionState, takeTicket } from "./session.js";
import { sign } from "./token.js";

const REMEMBERED = "webpubsub-edge.connection-string";

/** How long a token of a request is good for, in seconds. */
const REQUEST_TOKEN_SECONDS = 300;

const KEYS = "/management/keys";

/** The access keys by their names in the API, with those for people. */
const ROLES = [
  ["primary", "Primary"],
  ["secondary", "Secondary"],
];

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

  /** A token that begins a session, once. */
  ticket() {
    const exp = Math.floor(Date.now() / 1000) + REQUEST_TOKEN_SECONDS;
    return sign({ aud: `${location.origin}/management/session`, exp, jti: crypto.randomUUID() }, this.key);
  }

  /** Adds a token to the query of a WebSocket, whose handshake a browser gives no header. It stands last. */
  async signSocket(path, query) {
    const { authorization } = await this.headers(path);
    query.set("access_token", authorization.replace("Bearer ", ""));
  }
}

export class Access {
  /** Whether the service gives sessions, which keep the key out of the page. */
  hasSessions = false;
  /** Why it is not signed in, or could not sign out, where that was not asked for. */
  problem = "";
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
    const known = new Set([location.origin, this.#credentials?.endpoint?.origin, secureOrigin()].filter(Boolean));
    return [...known].sort((a, b) => Number(b.startsWith("https:")) - Number(a.startsWith("https:")));
  }

  /** Whether requests go with a session. */
  get isSession() {
    return this.#credentials instanceof SessionCredentials;
  }

  /** Signs in with the link that the page was opened with, the session that there is, or what this browser remembers. */
  async begin() {
    const ticket = takeTicket();
    try {
      const { isAvailable, isSignedIn } = await sessionState();
      this.hasSessions = isAvailable;
      if (isSignedIn) return this.#set(new SessionCredentials());
      if (ticket) return this.#set(await beginSession({ ticket }));
    } catch (error) {
      this.problem = error.message;
    }
    const kept = localStorage.getItem(REMEMBERED);
    if (kept) await this.signIn(kept, { remember: true }).catch(() => localStorage.removeItem(REMEMBERED));
  }

  /**
   * Signs in with a connection string, an access key alone, or the operator's secret. Rejects where the service does not
   * take it. Where the service gives sessions the key is used for one, and forgotten.
   */
  async signIn(text, { remember = false } = {}) {
    const given = text.trim();
    if (this.hasSessions && !/accesskey=/i.test(given)) {
      const session = await beginSession({ secret: given }).catch((error) => {
        if (error.status !== 401) throw error;
      });
      if (session) return this.#set(session);
    }
    const credentials = new KeyCredentials(given);
    const unknown = (error) => {
      throw error.status === 401 ? new Error("The service does not know this access key.") : error;
    };
    if (this.hasSessions) return this.#set(await beginSession({ ticket: await credentials.ticket() }).catch(unknown));
    const path = "/management/hubs";
    await request("GET", path, { headers: await credentials.headers(path) }).catch(unknown);
    if (remember) localStorage.setItem(REMEMBERED, given);
    this.#set(credentials);
  }

  async signOut() {
    localStorage.removeItem(REMEMBERED);
    try {
      await this.#credentials?.end?.();
      this.#set(undefined);
    } catch (error) {
      this.problem = `You are still signed in. ${error.message}`;
      this.#changed();
    }
  }

  /**
   * A request to this service, authorised. Rejects with a `RequestError` where the answer is no success.
   *
   * @param {string} method
   * @param {string} path below `/management` or `/api`, encoded
   * @param {{ query?: Iterable<string[]>, headers?: Record<string, string>, body?: BodyInit, anyStatus?: boolean }} options
   */
  async request(method, path, options = {}) {
    const credentials = this.#credentials;
    if (!credentials) throw new Error("Sign in first.");
    const own = await credentials.headers(path);
    try {
      const answer = await request(method, path, { ...options, headers: { ...options.headers, ...own } });
      if (path.startsWith(`${KEYS}/`) && answer.json?.primary) this.#takeKey(answer.json.primary.key);
      return answer;
    } catch (error) {
      // What is refused late says nothing about who is signed in by then.
      if (error.status !== 401 || credentials !== this.#credentials) throw error;
      const why = this.isSession ? "The session has ended." : `The access key is refused. ${error.message}`;
      localStorage.removeItem(REMEMBERED);
      this.#set(undefined, `${why} Sign in again.`);
      throw new Error(this.problem);
    }
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
    const { json } = await this.request("GET", KEYS);
    const reveal = async (role) => (await this.request("GET", KEYS, { query: [["reveal", "1"]] })).json[role].key;
    return ROLES.filter(([role]) => json[role]).map(([role, name]) => ({
      name,
      start: json[role].start,
      reveal: () => reveal(role),
    }));
  }

  /**
   * Makes a new access key; what is signed here from then on is signed with the primary one.
   *
   * @param {":rotate" | "primary/:regenerate" | "secondary/:regenerate"} change
   */
  async changeKeys(change) {
    await this.request("POST", `${KEYS}/${change}`);
  }

  /** Signs with a new key from here on, where keys sign. */
  #takeKey(key) {
    const credentials = this.#credentials;
    if (!(credentials instanceof KeyCredentials)) return;
    credentials.key = key;
    if (localStorage.getItem(REMEMBERED))
      localStorage.setItem(REMEMBERED, connectionString(credentials.endpoint.origin, credentials.key));
  }

  /** The URL of a WebSocket below `/management` of this service, with what authorises it. */
  async socketUrl(path, query) {
    await this.#credentials?.signSocket?.(path, query);
    return `${location.origin.replace(/^http/, "ws")}${path}?${query}`;
  }

  #set(credentials, problem = "") {
    this.#credentials = credentials;
    this.problem = problem;
    this.#changed();
  }
}
