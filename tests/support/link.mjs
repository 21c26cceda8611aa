// A wire between a client and the service that a test can cut.
import net from "node:net";

export class Link {
  #server;
  #sockets = new Set();

  static async to(service) {
    const link = new Link();
    link.#server = net.createServer((near) => {
      const far = net.connect(service.port, "127.0.0.1");
      for (const [from, to] of [[near, far], [far, near]]) {
        link.#sockets.add(from);
        from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          link.#sockets.delete(from);
          to.destroy();
        });
      }
    });
    await new Promise((resolve) => link.#server.listen(0, "127.0.0.1", resolve));
    link.endpoint = `http://127.0.0.1:${link.#server.address().port}`;
    return link;
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
