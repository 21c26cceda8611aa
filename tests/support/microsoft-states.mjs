// Microsoft's client of 1.1.0 with group states. Its protocols read and write their messages, and it has no methods for
// them: here events stand for what is to be sent, so that its acks, numbers and reconnections are its own.
import { WebPubSubClient } from "@azure/web-pubsub-client-1.1";

/**
 * @import { SendEventOptions, WebPubSubClientOptions } from "@azure/web-pubsub-client-1.1"
 *
 * What the service says of a connection's state in a group.
 * @typedef {{ connectionId: string, state?: unknown }} Item
 */

const EVENT = "group-states";

export class MicrosoftStates extends WebPubSubClient {
  /**
   * What the service has said, by group and connection, of the groups that are subscribed to.
   * @type {Map<string, Map<string, Item>>}
   */
  #known = new Map();
  /** @type {(event: { group: string }) => void} */
  #changed = () => {};

  /**
   * @param {any} credential
   * @param {WebPubSubClientOptions & { protocol: any }} options
   */
  constructor(credential, options) {
    const { name, isReliableSubProtocol, parseMessages, writeMessage } = options.protocol;
    const protocol = {
      name,
      isReliableSubProtocol,
      parseMessages: (/** @type {any} */ input) => {
        const message = parseMessages(input);
        if (message?.kind.startsWith("groupState")) this.#take(message);
        return message;
      },
      writeMessage: (/** @type {any} */ message) => {
        const { kind, event, data, ackId } = message;
        return writeMessage(kind === "sendEvent" && event === EVENT ? { ...data, ackId } : message);
      },
    };
    super(credential, { ...options, protocol });
    super.on("connected", () => {
      for (const group of this.#known.keys()) this.subscribeGroupStates(group);
    });
  }

  /**
   * @param {any} event
   * @param {(event: any) => void} listener
   */
  on(event, listener) {
    if (event === "group-states-changed") this.#changed = listener;
    else super.on(event, listener);
  }

  /**
   * @param {string} group
   * @param {unknown} state
   * @param {SendEventOptions} [options]
   */
  setGroupState(group, state, options) {
    return this.sendEvent(EVENT, { kind: "setGroupState", group, state }, "json", options);
  }

  /**
   * @param {string} group
   * @param {SendEventOptions} [options]
   */
  clearGroupState(group, options) {
    return this.sendEvent(EVENT, { kind: "setGroupState", group }, "json", options);
  }

  /**
   * @param {string} group
   * @param {SendEventOptions} [options]
   */
  subscribeGroupStates(group, options) {
    if (!this.#known.has(group)) this.#known.set(group, new Map());
    return this.sendEvent(EVENT, { kind: "subscribeGroupState", group }, "json", options);
  }

  /**
   * @param {string} group
   * @param {SendEventOptions} [options]
   */
  async unsubscribeGroupStates(group, options) {
    const result = await this.sendEvent(EVENT, { kind: "unsubscribeGroupState", group }, "json", options);
    this.#known.delete(group);
    return result;
  }

  /** @param {string} group */
  listGroupStates(group) {
    const known = this.#known.get(group);
    if (!known) throw new Error(`Group state is not subscribed for group '${group}'.`);
    return [...known.values()].filter(({ state }) => state);
  }

  /** @param {{ kind: string, group: string, items: Item[] }} message */
  #take({ kind, group, items }) {
    const known = this.#known.get(group);
    if (kind === "groupStateSnapshot") known?.clear();
    for (const item of items) known?.set(item.connectionId, item);
    this.#changed({ group });
  }
}
