// The yardstick: a Durable Object in a few lines of JavaScript that does nothing but hand on what it is sent.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { workerd } from "../../scripts/toolchain.mjs";
import { ended, kill, start } from "./processes.mjs";
import { request } from "./rest.mjs";
import { freePort } from "./service.mjs";
import { until } from "./waiting.mjs";

const WORKER = `
export class Bare {
  constructor(state) {
    this.state = state;
  }
  async fetch(request) {
    if (request.headers.get("Upgrade")) {
      const [client, server] = Object.values(new WebSocketPair());
      this.state.acceptWebSocket(server);
      return new Response(null, { status: 101, webSocket: client });
    }
    const text = await request.text();
    for (const socket of this.state.getWebSockets()) socket.send(text);
    return new Response(null, { status: 202 });
  }
  webSocketMessage() {}
  webSocketClose(socket, code) {
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }
}
export default {
  fetch(request, { BARE }) {
    return BARE.get(BARE.idFromName("all")).fetch(request);
  },
};
`;

const config = (port) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "storage", disk = (path = "state", writable = true))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-11-17",
  modules = [(name = "bare.js", esModule = embed "bare.js")],
  durableObjectNamespaces = [(className = "Bare", uniqueKey = "bare", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),
  bindings = [(name = "BARE", durableObjectNamespace = "Bare")],
);
`;

export class Bare {
  #child;
  #folder = mkdtempSync(path.join(tmpdir(), "bare-"));

  async start() {
    const port = await freePort();
    this.endpoint = `http://127.0.0.1:${port}`;
    this.url = `ws://127.0.0.1:${port}/`;
    mkdirSync(path.join(this.#folder, "state"));
    writeFileSync(path.join(this.#folder, "bare.js"), WORKER);
    writeFileSync(path.join(this.#folder, "bare.capnp"), config(port));
    this.#child = start(await workerd(), ["serve", "bare.capnp"], { cwd: this.#folder, stdio: ["ignore", "ignore", "inherit"] });
    await until(() => this.send("").then(() => true, () => false), "the bare object");
    return this;
  }

  /** Hands a text to everybody who is connected. */
  async send(text) {
    const { status, body } = await request(this.endpoint, "POST", "/", { body: text });
    if (status !== 202) throw new Error(`the bare object answered ${status}: ${body}`);
  }

  async stop() {
    const gone = ended(this.#child);
    kill(this.#child);
    await gone;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
