// As much of Cloudflare's API as a deployment asks, for the real wrangler: it keeps what it is sent.
import { createServer } from "node:http";
import { portOf } from "./port.mjs";

const ACCOUNT = "account";
const SUBDOMAIN = "me";

/**
 * The metadata of a worker that is uploaded, as far as tests look into it.
 * @typedef {{
 *   bindings: { type: string, name: string, text?: string, class_name?: string }[], [member: string]: unknown,
 * }} Upload
 */

export class Cloudflare {
  #server = createServer((request, response) => this.#answer(request, response));
  /**
   * The metadata of each worker that was uploaded.
   * @type {Upload[]}
   */
  uploads = [];
  /**
   * The names of the worker's secrets.
   * @type {string[]}
   */
  secrets = [];

  static async start() {
    const api = new Cloudflare();
    await /** @type {Promise<void>} */ (new Promise((resolve) => api.#server.listen(0, "127.0.0.1", resolve)));
    return api;
  }

  /** What has wrangler use it. */
  get env() {
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${portOf(this.#server)}`,
      CLOUDFLARE_API_TOKEN: "a-token",
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      CI: "true",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
    };
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async #answer(request, response) {
    const body = Buffer.concat(await request.toArray()).toString("latin1");
    const [path] = (request.url ?? "").split("?");
    const asked = path.replace(`/accounts/${ACCOUNT}/workers/`, "");
    const result = this.#result(`${request.method} ${asked.replace("webpubsub-edge", "W")}`, body);
    response.statusCode = result === undefined ? 404 : 200;
    const errors = result === undefined ? [{ code: 10090, message: "not found" }] : [];
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ success: result !== undefined, errors, messages: [], result: result ?? null }));
  }

  /**
   * @param {string} asked
   * @param {string} body
   */
  #result(asked, body) {
    switch (asked) {
      case "GET scripts/W/secrets":
        return this.secrets.map((name) => ({ name, type: "secret_text" }));
      case "GET scripts/W/deployments":
        return { deployments: [] };
      case "GET subdomain":
        return { subdomain: SUBDOMAIN };
      case "POST scripts/W/assets-upload-session":
        return { jwt: "jwt", buckets: [] };
      case "PUT scripts/W":
        this.#upload(JSON.parse(/name="metadata"\r\n\r\n(\{.*?\})\r\n--/s.exec(body)?.[1] ?? ""));
        return { id: "webpubsub-edge", startup_time_ms: 1, deployment_id: "1" };
      case "GET workers/W":
        return { subdomain: { enabled: true, previews_enabled: true } };
      case "POST scripts/W/subdomain":
      case "GET scripts/W/subdomain":
        return { enabled: true, previews_enabled: true };
      default:
        return undefined;
    }
  }

  /** @param {Upload} metadata */
  #upload(metadata) {
    this.uploads.push(metadata);
    const secrets = metadata.bindings.filter(({ type }) => type === "secret_text").map(({ name }) => name);
    this.secrets = [...new Set([...this.secrets, ...secrets])];
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
