// The yardstick: the bench's Durable Object in a few lines of JavaScript that passes on what it is sent.
import { Bare as Server } from "../../bench/contenders/peers.mjs";
import { request } from "./rest.mjs";

const ROOM = "/all";

export class Bare {
  #server = new Server("bare.js", "raw");

  async start() {
    await this.#server.start();
    return this;
  }

  get url() {
    return `ws://${this.#server.address}${ROOM}`;
  }

  /**
   * Passes a text on to everybody who is connected.
   * @param {string} text
   */
  async send(text) {
    const { status, body } = await request(`http://${this.#server.address}`, "POST", ROOM, { body: text });
    if (status !== 202) throw new Error(`the bare object answered ${status}: ${body}`);
  }

  stop() {
    return this.#server.stop();
  }
}
