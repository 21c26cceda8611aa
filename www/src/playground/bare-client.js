// A client without a subprotocol, with the calls that the playground makes of one.

export class BareClient {
  #url;
  #open;
  #socket;
  #listeners = new Map();

  constructor(url, open) {
    this.#url = url;
    this.#open = open;
  }

  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  /** @returns {Promise<void>} */
  start() {
    return new Promise((resolve, reject) => {
      let isOpen = false;
      const socket = (this.#socket = this.#open(this.#url));
      socket.onopen = () => {
        isOpen = true;
        this.#emit("connected", { userId: "" });
        resolve();
      };
      socket.onmessage = () => this.#emit("server-message", {});
      socket.onclose = ({ code, reason }) => {
        if (!isOpen)
          return reject(
            new Error("The service refused the connection, or cannot be reached. Is the access token good?"),
          );
        this.#emit("disconnected", { code, reason });
        this.#emit("stopped", { code, reason });
      };
    });
  }

  stop() {
    this.#socket?.close();
  }

  sendFrame(content) {
    this.#socket.send(content);
    return "Sent.";
  }

  #emit(event, args) {
    for (const listener of this.#listeners.get(event) ?? []) listener(args);
  }
}
