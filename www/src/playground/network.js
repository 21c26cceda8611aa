// The sockets of one client, with every frame reported, over a network that can be cut.

/** Close code of a link that was lost, which no close frame says. */
const LOST = 1006;

export class Network {
  isDown = false;
  #sockets = new Set();
  #report;

  /** `report(direction, data)` is called with each frame that is received (`in`) or sent (`out`). */
  constructor(report) {
    this.#report = report;
  }

  /** Opens a socket; while the network is down, one that fails. */
  open = (url, protocol) => {
    const socket = new ObservedSocket(url, protocol, this.isDown, this.#report, () => this.#sockets.delete(socket));
    if (!this.isDown) this.#sockets.add(socket);
    return socket;
  };

  /** Takes the network away: sockets are lost, and none opens. */
  cut() {
    this.isDown = true;
    for (const socket of this.#sockets) socket.lose();
    this.#sockets.clear();
  }

  restore() {
    this.isDown = false;
  }
}

/** A WebSocket as a client uses it. */
class ObservedSocket {
  /** @type {((event: Event) => void) | null} */
  onopen = null;
  /** @type {((event: MessageEvent) => void) | null} */
  onmessage = null;
  /** @type {((event: Pick<CloseEvent, "code" | "reason" | "wasClean">) => void) | null} */
  onclose = null;
  /** @type {((event: Event | { message: string }) => void) | null} */
  onerror = null;
  binaryType = "arraybuffer";
  #socket;
  #report;

  constructor(url, protocol, isDown, report, ended) {
    this.#report = report;
    if (isDown) {
      setTimeout(() => this.#fail());
      return;
    }
    const socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = (event) => this.onopen?.(event);
    socket.onmessage = (event) => {
      report("in", event.data);
      this.onmessage?.(event);
    };
    socket.onerror = (event) => this.onerror?.(event);
    socket.onclose = (event) => {
      ended();
      this.onclose?.(event);
    };
  }

  send(data) {
    this.#report("out", data);
    this.#socket?.send(data);
  }

  close(...how) {
    this.#socket?.close(...how);
  }

  /** Ends without a word, for the client as if the link were gone. The service sees no code, and may have it back. */
  lose() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    socket.close();
    this.#fail();
  }

  #fail() {
    this.onerror?.({ message: "The network is down." });
    this.onclose?.({ code: LOST, reason: "", wasClean: false });
  }
}
