// What a client package passes to its listeners, kept in order for a test to ask for.
import { Queue } from "./waiting.mjs";

const NAMES = ["connected", "disconnected", "stopped", "server-message", "group-message", "rejoin-group-failed"];

export class Events {
  #queues = new Map(NAMES.map((name) => [name, new Queue()]));
  /**
   * The names of all events so far.
   * @type {string[]}
   */
  order = [];

  /** @param {{ on(name: any, listener: (event: any) => void): void }} client */
  constructor(client) {
    for (const [name, queue] of this.#queues) {
      client.on(name, (event) => {
        this.order.push(name);
        queue.push(event);
      });
    }
  }

  /**
   * @param {string} name
   * @returns {Promise<any>}
   */
  next(name) {
    return /** @type {Queue<any>} */ (this.#queues.get(name)).next(`the event ${name}`);
  }

  /**
   * The next message's own words: data, its type, and for a group's its group and sender.
   * @param {string} name
   */
  async message(name) {
    const { message } = await this.next(name);
    const { kind, dataType, data, group, fromUserId } = message;
    const plain = data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data;
    return kind === "groupData" ? { kind, group, fromUserId, dataType, data: plain } : { kind, dataType, data: plain };
  }
}
