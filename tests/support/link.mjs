// A wire between a client and the service that a test can cut.
import net from "node:net";

export class Link {
  #server;
  #sockets = new Set();

  /** With a `delay` in milliseconds, what the service says takes that long to arrive. */
  static async to(service, { delay = 0 } = {}) {
    const link = new Link();
    link.#server = net.createServer((near) => {
      const far = net.connect(service.port, "127.0.0.1");
      link.#carry(near, far);
      link.#carry(far, near, delay);
    });
    await new Promise((resolve) => link.#server.listen(0, "127.0.0.1", resolve));
    link.endpoint = `http://127.0.0.1:${link.#server.address().port}`;
    return link;
  }

  #carry(from, to, delay = 0) {
    const later = delay > 0 ? (work) => setTimeout(work, delay) : (work) => work();
    this.#sockets.add(from);
    from.on("data", (chunk) => later(() => to.write(chunk)));
    from.on("end", () => later(() => to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      later(() => to.destroy());
    });
  }

  /** Drops everything that is connected, without a goodbye; new connections are taken. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  close() {
    this.cut();
    this.#server.close();
  }
}
