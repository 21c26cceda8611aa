// A worker of one module on the workerd and with the configuration that the service runs on.
import { build } from "esbuild";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "../../scripts/paths.mjs";
import { start } from "../../scripts/processes.mjs";
import { workerConfig } from "../../scripts/service/worker-config.mjs";
import { workerd } from "../../scripts/service/program.mjs";
import { HOST, Server } from "./server.mjs";

const text = JSON.stringify;

/** A Durable Object class `Room` and its worker, which finds the namespace as `ROOM`. */
export class OnWorkerd extends Server {
  #file;

  /**
   * @param {string} file
   * @param {string} dialect
   */
  constructor(file, dialect) {
    super();
    this.#file = at("bench", "contenders", "workers", file);
    this.dialect = dialect;
  }

  async launch() {
    const { compatibility_date: date, compatibility_flags: flags } = await workerConfig();
    mkdirSync(join(this.folder, "state"));
    const outfile = join(this.folder, "room.js");
    await build({
      entryPoints: [this.#file],
      outfile,
      bundle: true,
      format: "esm",
      target: "esnext",
      external: ["cloudflare:*"],
      logLevel: "error",
    });
    writeFileSync(
      join(this.folder, "room.capnp"),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "storage", disk = (path = "state", writable = true))],
  sockets = [(name = "http", address = "${HOST}:${this.port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = ${text(date)},
  compatibilityFlags = [${flags.map((flag) => text(flag)).join(", ")}],
  modules = [(name = "room.js", esModule = embed "room.js")],
  durableObjectNamespaces = [(className = "Room", uniqueKey = "room", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),
  bindings = [(name = "ROOM", durableObjectNamespace = "Room")],
);
`,
    );
    return start(await workerd(), ["serve", "room.capnp"], {
      cwd: this.folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
}
