// Eclipse Mosquitto, the MQTT broker, over WebSocket.
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { start, which } from "../../scripts/processes.mjs";
import { HOST, Server } from "./server.mjs";

/** Debian has it where only the superuser looks. */
const program = () => which("mosquitto") ?? which("mosquitto", "/usr/sbin");

/** Whether Mosquitto is on this machine. */
export const hasMosquitto = () => program() !== undefined;

export class Mosquitto extends Server {
  /** @param {string} dialect */
  constructor(dialect) {
    super();
    this.dialect = dialect;
  }

  launch() {
    const broker = program();
    if (broker === undefined) throw new Error("Mosquitto is not on this machine");
    const file = join(this.folder, "mosquitto.conf");
    // Debian's 2.0.11 ends at once where every listener is one for WebSockets, so it has another that is not used.
    writeFileSync(
      file,
      `user ${userInfo().username}
allow_anonymous true
persistence false
log_type none
listener 0 ${join(this.folder, "unused.sock")}
listener ${this.port} ${HOST}
protocol websockets
`,
    );
    return start(broker, ["-c", file], { cwd: this.folder, stdio: ["ignore", "ignore", "ignore"] });
  }

  /**
   * Its port takes connections; it speaks no HTTP but that of the upgrade.
   * @returns {Promise<boolean>}
   */
  answers() {
    return new Promise((resolve) => {
      const socket = connect({ port: this.port, host: HOST });
      socket.on("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
  }

  /**
   * @param {string} _hub
   * @param {string} group
   */
  member(_hub, group) {
    return { path: "/mqtt", topic: group };
  }

  client() {
    return { path: "/mqtt" };
  }

  /** It knows no publishes over HTTP. */
  publish() {
    return undefined;
  }
}
