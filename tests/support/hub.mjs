// One hub of a running service, as its clients and its servers reach it.
import assert from "node:assert/strict";
import { request } from "./rest.mjs";
import { JSON_V1, RELIABLE_V1, Socket } from "./socket.mjs";
import { clientClaims, sign } from "./token.mjs";
import { until } from "./waiting.mjs";

export const VERSION = "2024-12-01";
/** Roles that allow everything that a client can do to groups. */
export const ALL_ROLES = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

/** @import { ConnectedMessage } from "./socket.mjs" */

/**
 * The socket of a connection whose first frame was read.
 * @typedef {Socket & { id: string, connected: ConnectedMessage }} ConnectedSocket
 */

export class Hub {
  /**
   * @param {import("./service.mjs").Service} service
   * @param {string} name
   */
  constructor(service, name) {
    this.service = service;
    this.name = name;
  }

  get audience() {
    return `${this.service.endpoint}/client/hubs/${this.name}`;
  }

  /** `ws:` URL of this hub without a token. */
  get url() {
    return this.audience.replace(/^http/, "ws");
  }

  /**
   * @typedef {{ audience?: string, user?: string, roles?: string | string[], groups?: string[], minutes?: number }} ClientOptions
   * @param {ClientOptions} options
   */
  token(options = {}) {
    return sign(clientClaims({ audience: this.audience, ...options }), this.service.key);
  }

  /** @param {ClientOptions} options */
  clientUrl(options = {}) {
    return `${this.url}?access_token=${this.token(options)}`;
  }

  /** @param {ClientOptions} options */
  mqttUrl(options = {}) {
    const audience = `${this.service.endpoint}/clients/mqtt/hubs/${this.name}`;
    return `${audience.replace(/^http/, "ws")}?access_token=${this.token({ audience, ...options })}`;
  }

  /**
   * A connection without a subprotocol.
   * @param {{ query?: string } & ClientOptions} options
   */
  connectSimple({ query = "", ...options } = {}) {
    return Socket.open(this.clientUrl(options) + query);
  }

  /**
   * A connection of the JSON subprotocol; `connected` holds its first frame.
   * @param {{ protocol?: string } & ClientOptions} options
   * @returns {Promise<ConnectedSocket>}
   */
  async connect({ protocol = JSON_V1, ...options } = {}) {
    const socket = await Socket.open(this.clientUrl(options), { protocols: protocol });
    assert.equal(socket.protocol, protocol);
    const connected = await socket.json("the connected message");
    return Object.assign(socket, { id: connected.connectionId, connected });
  }

  /** @param {ClientOptions} options */
  connectReliable(options = {}) {
    return this.connect({ protocol: RELIABLE_V1, ...options });
  }

  /**
   * A URL that asks for a connection back; an SDK's has its old access token in it, too.
   * @param {string} id
   * @param {string | undefined} token
   * @param {{ accessToken?: string }} options
   */
  recoveryUrl(id, token, { accessToken } = {}) {
    const query = new URLSearchParams(accessToken ? { access_token: accessToken } : {});
    query.set("awps_connection_id", id);
    if (token !== undefined) query.set("awps_reconnection_token", token);
    return `${this.url}?${query}`;
  }

  /**
   * A new socket for a reliable connection; whether the service gives it is for the test to see.
   * @param {{ id: string, connected: { reconnectionToken?: string }, protocol: string }} lost
   */
  async recover({ id, connected, protocol }) {
    const socket = await Socket.open(this.recoveryUrl(id, connected.reconnectionToken), { protocols: protocol });
    return Object.assign(socket, { id, connected: /** @type {ConnectedMessage} */ (connected) });
  }

  /**
   * A request to `/api/hubs/{this hub}{path}`, signed for exactly that URL unless a token or an audience is given.
   * @param {string} method
   * @param {string} path
   * @typedef {{ query?: object, headers?: import("node:http").OutgoingHttpHeaders, body?: import("./rest.mjs").Body, token?: string, audience?: string }} RequestOptions
   * @param {RequestOptions} options
   */
  rest(method, path, { query = {}, headers = {}, body, token, audience } = {}) {
    const search = new URLSearchParams(Array.isArray(query) ? query : Object.entries(query));
    if (!search.has("api-version")) search.set("api-version", VERSION);
    const target = `/api/hubs/${this.name}${path}?${search}`;
    const bearer = token ?? sign({ aud: audience ?? `${this.service.endpoint}${target}` }, this.service.key);
    const authorization = bearer === "" ? {} : { authorization: `Bearer ${bearer}` };
    return request(this.service.endpoint, method, target, { headers: { ...authorization, ...headers }, body });
  }

  /**
   * Publishes to all (`""`) or to a `/groups/…`, `/users/…`, `/connections/…`, which must be accepted.
   * @param {string} target
   * @param {string | Buffer} data
   * @param {{ type?: string, query?: object }} options
   */
  async send(target, data, { type = "text/plain", query } = {}) {
    const answer = await this.rest("POST", `${target}/:send`, { query, headers: { "content-type": type }, body: data });
    assert.equal(answer.status, 202, answer.body);
    assert.equal(answer.body, "");
  }

  /**
   * Gives the hub these settings, which must be right.
   * @param {object} settings
   */
  async configure(settings) {
    const { status, body } = await this.service.manage("PUT", `hubs/${this.name}`, { body: JSON.stringify(settings) });
    assert.equal(status, 200, body);
    return JSON.parse(body);
  }

  /**
   * Has a handler receive all users' events, or what `which` says.
   * @param {{ url: string }} handler
   * @param {object} which
   */
  useHandler(handler, which = { userEventPattern: "*" }) {
    return this.configure({ eventHandlers: [{ urlTemplate: handler.url, ...which }] });
  }

  /** The last deliveries, newest first. */
  async deliveries() {
    const { status, body } = await this.service.manage("GET", `hubs/${this.name}/deliveries`);
    assert.equal(status, 200, body);
    return JSON.parse(body).deliveries;
  }

  /**
   * The last delivery of an event, which need not be there at once: a Worker does not wait until its report is kept.
   * @param {string} event
   */
  async lastDelivery(event) {
    let found;
    await until(
      async () =>
        (found = (await this.deliveries()).find((/** @type {{ event: string }} */ one) => one.event === event)),
      `a delivery of ${event}`,
    );
    return found;
  }

  /** @param {string} path */
  async exists(path) {
    const { status, body } = await this.rest("HEAD", path);
    assert.ok(status === 200 || status === 404, `HEAD ${path}: ${status}`);
    assert.equal(body, "");
    return status === 200;
  }
}
