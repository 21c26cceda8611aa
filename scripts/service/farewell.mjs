// The last request to a service that is about to end: its sockets are to be closed, so that clients come back later.
import { request } from "node:http";
import { bracketed, requestToken } from "../access.mjs";
import { reachable } from "./ready.mjs";

const PATH = "/management/sockets/:close";
/** However many hubs there are: the service ends within seconds. */
const LIMIT_MS = 5_000;

/** Has a service close every socket with 1001. */
export class Farewell {
  /** The key that signs the request. */
  key;
  #options;
  /** @type {{ asked: import("node:http").ClientRequest, answered: Promise<string | undefined> } | undefined} */
  #held;

  /**
   * @param {{ host: string, port: number }} options
   * @param {string} key
   */
  constructor(options, key) {
    this.#options = options;
    this.key = key;
  }

  /** Begins the request, whose end is what the service waits for: it comes through when no other does any more. */
  hold() {
    this.#held = this.#begin();
    this.#held.asked.flushHeaders();
  }

  /** Resolves when the sockets are closed; with what went wrong, if anything did. */
  async say() {
    const { asked, answered } = this.#held?.asked.destroyed === false ? this.#held : this.#begin();
    const timer = setTimeout(() => asked.destroy(new Error(`not done within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    asked.end();
    const problem = await answered;
    clearTimeout(timer);
    return problem;
  }

  #begin() {
    const { host, port } = this.#options;
    const authority = `${bracketed(reachable(host))}:${port}`;
    const token = requestToken({ path: PATH }, { url: `http://${authority}`, key: this.key });
    const headers = { Host: authority, Authorization: `Bearer ${token}`, "Transfer-Encoding": "chunked" };
    const asked = request({ method: "POST", host: reachable(host), port, path: PATH, headers, agent: false });
    /** @type {Promise<string | undefined>} */
    const answered = new Promise((resolve) => {
      asked.on("response", (response) => {
        response.resume();
        resolve(response.statusCode === 204 ? undefined : `it answered ${response.statusCode}`);
      });
      asked.on("error", (error) => resolve(error.message));
    });
    return { asked, answered };
  }
}
