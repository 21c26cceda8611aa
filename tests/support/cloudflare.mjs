// As much of Cloudflare's API as a deployment asks, for the real wrangler: it keeps what it is sent.
import { createServer } from "node:http";

const ACCOUNT = "account";
const SUBDOMAIN = "me";

export class Cloudflare {
  #server;
  /** The metadata of each worker that was uploaded. */
  uploads = [];
  /** The names of the worker's secrets. */
  secrets = [];

  static async start() {
    const api = new Cloudflare();
    api.#server = createServer((request, response) => api.#answer(request, response));
    await new Promise((resolve) => api.#server.listen(0, "127.0.0.1", resolve));
    return api;
  }

  /** What has wrangler use it. */
  get env() {
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${this.#server.address().port}`,
      CLOUDFLARE_API_TOKEN: "a-token",
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      CI: "true",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
    };
  }

  async #answer(request, response) {
    const body = Buffer.concat(await request.toArray()).toString("latin1");
    const path = request.url.split("?")[0].replace(`/accounts/${ACCOUNT}/workers/`, "");
    const result = this.#result(`${request.method} ${path.replace("webpubsub-edge", "W")}`, body);
    response.statusCode = result === undefined ? 404 : 200;
    const errors = result === undefined ? [{ code: 10090, message: "not found" }] : [];
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ success: result !== undefined, errors, messages: [], result: result ?? null }));
  }

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
