// What every part of the suite works with: clients of one package with one protocol, and a server beside them.
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { Events } from "../../support/events.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { Link } from "../../support/link.mjs";
import { clientClaims, sign } from "../../support/token.mjs";

const NO_RETRY = { maxRetries: 0 };
const SOON = { retryDelayInMs: 10 };

export class Kit {
  #made = [];

  constructor(service, WebPubSubClient, makeProtocol) {
    this.service = service;
    this.WebPubSubClient = WebPubSubClient;
    this.makeProtocol = makeProtocol;
    this.reliable = makeProtocol().isReliableSubProtocol;
    /** Whether messages say who published them: in protobuf there is no field for it. */
    this.namesPublishers = makeProtocol().name.startsWith("json.");
  }

  /** A client that is not started, and what it receives. It tries nothing twice unless the options say so. */
  make(credential, options) {
    const defaults = { protocol: this.makeProtocol(), messageRetryOptions: NO_RETRY, reconnectRetryOptions: SOON };
    const client = new this.WebPubSubClient(credential, { ...defaults, ...options });
    const made = { client, events: new Events(client) };
    this.#made.push(made);
    return made;
  }

  /** A client that is connected. */
  async start(credential, options) {
    const { client, events } = this.make(credential, options);
    await client.start();
    const { connectionId, userId } = await events.next("connected");
    return { client, events, id: connectionId, userId };
  }

  /** A client that is connected to a hub, and may do everything unless its token says otherwise. */
  connect(hub, token, options) {
    return this.start(hub.clientUrl({ roles: ALL_ROLES, ...token }), options);
  }

  /** A client whose transport can be cut; the link goes when the test does. */
  async startOverLink(t, hub, options) {
    const link = await Link.to(this.service);
    t.after(() => link.close());
    const audience = `${link.endpoint}/client/hubs/${hub.name}`;
    const token = sign(clientClaims({ audience, user: "alice", roles: ALL_ROLES }), this.service.key);
    const started = await this.start(`${audience.replace("http", "ws")}?access_token=${token}`, options);
    return { ...started, link };
  }

  server(hub) {
    return new WebPubSubServiceClient(this.service.connectionString, hub.name, { allowInsecureConnection: true });
  }

  /** Stops the clients that run. */
  async stopAll() {
    for (const { client, events } of this.#made.splice(0)) {
      const isRunning = events.order.lastIndexOf("connected") > events.order.lastIndexOf("stopped");
      if (!isRunning) continue;
      client.stop();
      await events.next("stopped");
    }
  }
}

/** A text message's type for Microsoft's server package. */
export const TEXT = { contentType: "text/plain" };

/** A credential that gives these URLs in turn, the last one for ever. One that is an error is thrown. */
export function inTurn(...urls) {
  const credential = {
    asked: 0,
    async getClientAccessUrl() {
      const url = urls[Math.min(credential.asked++, urls.length - 1)];
      if (url instanceof Error) throw url;
      return url;
    },
  };
  return credential;
}
