// A browser whose WebSocket and fetch do what a test says.

const real = { WebSocket: globalThis.WebSocket, fetch: globalThis.fetch };
let sockets = [];

class FakeSocket extends EventTarget {
  readyState = 0;
  bufferedAmount = 0;
  sent = [];

  constructor(url, protocol) {
    super();
    if (!/^wss?:/.test(url)) throw new SyntaxError(`${url} is no URL of a WebSocket`);
    Object.assign(this, { url, protocol });
    sockets.push(this);
  }

  send(data) {
    if (this.readyState === 0) throw new DOMException("not open", "InvalidStateError");
    this.sent.push(typeof data === "string" ? data : `${data.size} bytes`);
  }

  close(...args) {
    if (args.length > 0) throw new Error("closed with a code");
    if (this.readyState < 2) this.readyState = 2;
  }
}

export function useFake() {
  sockets = [];
  globalThis.WebSocket = FakeSocket;
}
export const useReal = () => Object.assign(globalThis, real);

export const socketCount = () => sockets.length;
export const urlOf = (index) => sockets[index].url;
export const protocolOf = (index) => sockets[index].protocol;
export const isClosing = (index) => sockets[index].readyState >= 2;
export const takeSent = (index) => sockets[index].sent.splice(0).filter((text) => text !== '{"type":"ping"}');
export const setBuffered = (index, bytes) => {
  sockets[index].bufferedAmount = bytes;
};

export function open(index) {
  sockets[index].readyState = 1;
  sockets[index].dispatchEvent(new Event("open"));
}
export const say = (index, data) => {
  sockets[index].dispatchEvent(new MessageEvent("message", { data }));
};
export const sayBytes = (index, bytes) => say(index, new Uint8Array(bytes).buffer);

/** The socket ends; before it was open, with an error in front, as browsers have it. */
export function end(index, code, reason) {
  const socket = sockets[index];
  const wasOpen = socket.readyState === 1;
  socket.readyState = 3;
  if (!wasOpen) socket.dispatchEvent(new Event("error"));
  socket.dispatchEvent(new CloseEvent("close", { code, reason }));
}

/** Has `fetch` answer with this status and text, or fail without one. */
export function answerFetch(status, text) {
  globalThis.fetch = async () => {
    if (status === undefined) throw new TypeError("Failed to fetch");
    return new Response(text, { status });
  };
}
