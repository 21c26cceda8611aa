// This project's service, as `npm run serve` starts it.
import { freePort, healthy } from "../../scripts/service/ready.mjs";
import { clientClaims, sign } from "../../tests/support/token.mjs";
import { HOST, Server } from "./server.mjs";

const KEY = "an-access-key-for-the-bench-of-48-characters-in!";
/** The hub that has an event handler. */
export const HANDLED = "handled";
const VERSION = "2024-12-01";
const ROLES = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

/**
 * @import { ChildProcess } from "node:child_process"
 * @import { Launch } from "../../scripts/service.mjs"
 * @import { Audience, Identity } from "../contenders.mjs"
 */

export class Ours extends Server {
  #startWorkerd;
  #shards;
  #options;

  /**
   * `startWorkerd` is that of `scripts/service/workerd.mjs`, of this or of another checkout, or what starts another host
   * of the service in the same way, which may have `options` of its own.
   * @param {Launch} startWorkerd
   * @param {{ dialect: string, shards?: number, options?: Record<string, string> }} form
   */
  constructor(startWorkerd, { dialect, shards = 1, options = {} }) {
    super();
    this.dialect = dialect;
    this.#startWorkerd = startWorkerd;
    this.#shards = shards;
    this.#options = options;
  }

  /** Where the event handler of the hub {@link HANDLED} listens. */
  handler = "";

  get #isMqtt() {
    return this.dialect.startsWith("mqtt");
  }

  async launch() {
    this.handler = `${HOST}:${await freePort({ host: HOST, port: 0 })}`;
    const eventHandlers = [{ urlTemplate: `http://${this.handler}/`, userEventPattern: "*" }];
    const variables = {
      SHARDS: String(this.#shards),
      SERVICE_HOSTS: this.address,
      ALLOW_PRIVATE_EVENT_HANDLERS: "on",
      // Clients here only listen, to more than 1 MB a second: docs/configuration.md has the limit.
      OUTBOUND_LIMIT_BYTES: "0",
      HUB_SETTINGS: JSON.stringify({ hubs: { [HANDLED]: { eventHandlers } } }),
    };
    const keys = { WEBPUBSUB_ACCESS_KEY: KEY };
    const options = {
      state: this.folder,
      host: HOST,
      port: this.port,
      webSocketCompression: false,
      variables: {},
      ...this.#options,
    };
    return this.#startWorkerd(options, { variables, keys }, ["ignore", "ignore", "inherit"]);
  }

  /** @param {ChildProcess} child */
  ready(child) {
    return healthy({ host: HOST, port: this.port }, child);
  }

  /**
   * @param {string} hub
   * @param {string} group
   * @param {Identity} identity
   */
  member(hub, group, { user, groups = [] } = {}) {
    // A membership by token is at QoS 0.
    if (this.#isMqtt) return { ...this.client(hub, { user, groups }), topic: group };
    return this.client(hub, { user, groups: [group, ...groups] });
  }

  /**
   * @param {string} hub
   * @param {Identity} identity
   */
  client(hub, { user, groups } = {}) {
    const path = this.#isMqtt ? `/clients/mqtt/hubs/${hub}` : `/client/hubs/${hub}`;
    const claims = clientClaims({ audience: `http://${this.address}${path}`, user, groups, roles: ROLES });
    return { path: `${path}?access_token=${sign(claims, KEY)}` };
  }

  /**
   * @param {string} hub
   * @param {Audience} audience
   */
  publish(hub, { group, user, filter }) {
    const target = group !== undefined ? `/groups/${group}` : user !== undefined ? `/users/${user}` : "";
    const query = new URLSearchParams({ "api-version": VERSION, ...(filter !== undefined && { filter }) });
    const path = `/api/hubs/${hub}${target}/:send?${query}`;
    return { path, headers: [["authorization", `Bearer ${sign({ aud: `http://${this.address}${path}` }, KEY)}`]] };
  }
}
