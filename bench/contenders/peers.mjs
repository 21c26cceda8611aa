// The peers that know rooms: who connects to one is in it, and what one sends there goes to all in it.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "../../scripts/paths.mjs";
import { start, which } from "../../scripts/processes.mjs";
import { runtimes } from "../../scripts/setup/runtimes.mjs";
import { HOST, Server } from "./server.mjs";
import { OnWorkerd } from "./workerd.mjs";

export { Mosquitto, hasMosquitto } from "./mosquitto.mjs";

const NCHAN = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/** @import { Audience, Identity } from "../contenders.mjs" */

/**
 * What rooms answer to where things are: `path(room)` is where clients connect, and servers publish unless `publishPath`
 * is another.
 * @template {new (...args: any[]) => Server} Kind
 * @param {Kind} Base
 * @param {(room: string) => string} path
 */
const rooms = (Base, path, publishPath = path) =>
  class extends Base {
    /**
     * @param {string} hub
     * @param {string} group
     */
    member(hub, group) {
      return { path: path(`${hub}-${group}`) };
    }

    client() {
      return undefined;
    }

    /**
     * @param {string} hub
     * @param {Audience} audience
     */
    publish(hub, { group }) {
      return group === undefined ? undefined : { path: publishPath(`${hub}-${group}`) };
    }
  };

class OnNode extends Server {
  #file;

  /**
   * @param {string} file
   * @param {string} dialect
   */
  constructor(file, dialect) {
    super();
    this.#file = at("bench", "contenders", "node", file);
    this.dialect = dialect;
  }

  get program() {
    return process.execPath;
  }

  launch() {
    return start(this.program, [this.#file, String(this.port)], { stdio: ["ignore", "ignore", "inherit"] });
  }
}

const bun = runtimes.find(({ kind }) => kind === "bun");

class OnBunItself extends OnNode {
  get program() {
    if (bun === undefined) throw new Error("there is no Bun for this system");
    return bun.program;
  }
}

/** Whether there is a Bun for this system. */
export const hasBun = () => bun !== undefined;

class OnNginx extends Server {
  dialect = "raw";
  /** nchan loses frames of a client that sends many more at once. */
  mostAtOnce = 8;

  launch() {
    const nginx = which("nginx");
    if (nginx === undefined) throw new Error("nginx is not on this machine");
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${join(this.folder, name)};`,
    );
    const file = join(this.folder, "nginx.conf");
    writeFileSync(
      file,
      `load_module ${nchan()};
daemon off;
worker_processes 1;
error_log stderr crit;
pid ${join(this.folder, "nginx.pid")};
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 1m;
  ${temporary.join("\n  ")}
  server {
    listen ${HOST}:${this.port} backlog=4096;
    location ~ ^/rooms/(.+)$ {
      nchan_pubsub;
      nchan_channel_id $1;
      nchan_message_buffer_length 100;
      nchan_subscriber_first_message newest;
    }
  }
}
`,
    );
    return start(nginx, ["-c", file, "-e", "stderr"], {
      cwd: this.folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
}

/** nchan's module for nginx: Debian's, or the one that the environment names. */
const nchan = () => process.env.NCHAN_MODULE ?? NCHAN;

/** Whether nginx is on this machine, with nchan. */
export const hasNchan = () => which("nginx") !== undefined && existsSync(nchan());

export const Bare = rooms(OnWorkerd, (room) => `/${room}`);
export const Party = rooms(OnWorkerd, (room) => `/parties/room/${room}`);
export const Ws = rooms(OnNode, (room) => `/${room}`);
export const OnBun = rooms(OnBunItself, (room) => `/${room}`);
export const SocketIo = rooms(
  OnNode,
  (room) => `/socket.io/?EIO=4&transport=websocket&room=${room}`,
  (room) => `/publish?room=${room}`,
);
export const Nchan = rooms(OnNginx, (room) => `/rooms/${room}`);

/** The JSON subprotocol in JavaScript: hubs and groups, without tokens. */
export class JsonObject extends OnWorkerd {
  /**
   * @param {string} hub
   * @param {string} group
   */
  member(hub, group) {
    return this.client(hub, { groups: [group] });
  }

  /**
   * @param {string} hub
   * @param {Identity} identity
   */
  client(hub, { groups = [] } = {}) {
    return { path: `/client/hubs/${hub}?${new URLSearchParams(groups.map((group) => ["group", group]))}` };
  }

  /**
   * @param {string} hub
   * @param {Audience} audience
   */
  publish(hub, { group, user, filter }) {
    if (user !== undefined || filter !== undefined) return undefined;
    return { path: `/api/hubs/${hub}/${group === undefined ? "" : `groups/${group}/`}:send` };
  }
}
