// One connection after the other: starts and stops the client, and describes to the page what happens.
import { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } from "./client.js";

const protocols = {
  "json.webpubsub.azure.v1": WebPubSubJsonProtocol,
  "json.reliable.webpubsub.azure.v1": WebPubSubJsonReliableProtocol,
};

/**
 * `listener` has `state(name, details)`, `message(origin, message)` and `rejoinFailed(group, error)`; the
 * states are `connecting`, `connected`, `recovering`, `recovered`, `lost` and `stopped`.
 */
export class Session {
  #client;
  #listener;

  constructor(listener) {
    this.#listener = listener;
  }

  /** Connects, and stops what was connected before. Rejects when the first attempt fails. */
  async start(url, protocol) {
    this.stop();
    // A person waits for the answer: what the service refuses is not asked again.
    const client = new WebPubSubClient(url, {
      protocol: protocols[protocol](),
      messageRetryOptions: { maxRetries: 0 },
    });
    this.#client = client;
    const current = (report) => (event) => {
      if (this.#client === client) report(event);
    };
    client.on(
      "connected",
      current((event) => this.#listener.state("connected", event)),
    );
    client.on(
      "recovering",
      current(() => this.#listener.state("recovering")),
    );
    client.on(
      "recovered",
      current(() => this.#listener.state("recovered")),
    );
    client.on(
      "disconnected",
      current((event) => this.#listener.state("lost", event)),
    );
    client.on(
      "stopped",
      current(() => this.#end()),
    );
    client.on(
      "rejoin-group-failed",
      current(({ group, error }) => this.#listener.rejoinFailed(group, error)),
    );
    client.on(
      "server-message",
      current(({ message }) => this.#listener.message("server", message)),
    );
    client.on(
      "group-message",
      current(({ message }) => this.#listener.message("group", message)),
    );
    this.#listener.state("connecting");
    try {
      await client.start();
    } catch (error) {
      if (this.#client === client) this.#end();
      throw error;
    }
  }

  stop() {
    this.#client?.stop();
  }

  #end() {
    this.#client = undefined;
    this.#listener.state("stopped");
  }

  join(group) {
    return this.#client.joinGroup(group);
  }

  leave(group) {
    return this.#client.leaveGroup(group);
  }

  sendToGroup(group, data, dataType, noEcho) {
    return this.#client.sendToGroup(group, data, dataType, { noEcho });
  }

  sendEvent(event, data, dataType) {
    return this.#client.sendEvent(event, data, dataType);
  }
}
