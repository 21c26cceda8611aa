// A host that does nothing but remember what it is asked.

/** The outputs in the order of their numbers: what each is called here, and what of a call it says. */
const outputs = [
  ["fetchUrl", ({ id }) => [id]],
  ["openSocket", ({ id, a }) => [id, a]],
  ["closeSocket", ({ id }) => [id]],
  ["setTimer", ({ number }) => [number]],
  ["send", ({ id, detail, number, a, b, value }) => [id, a ?? "", b ?? "", number, detail === 1, value]],
  ["sendOther", ({ number, value }) => [value, number]],
  ["started", ({ id }) => [id]],
  ["startFailed", ({ id, detail, number }) => [id, detail, number]],
  ["done", ({ id, detail, number }) => [id, number, detail === 1]],
  ["failed", ({ id, detail, number, a, b }) => [id, detail, number, a, b]],
  ["invoked", ({ id, value }) => [id, value]],
  ["invocationFailed", ({ id, detail, a, b, c }) => [id, a, detail, b, c]],
  ["connected", ({ a, b }) => [a, b]],
  ["disconnected", ({ detail, number, a, b, c }) => [a, b, number, c, detail === 1]],
  ["stopped", ({ number, a }) => [number, a]],
  ["recovery", ({ detail, a }) => [detail === 1, a]],
  ["message", ({ value }) => [value]],
  ["rejoinFailed", ({ detail, number, a, b, c }) => [a, detail, number, b, c]],
];

class FakeHost {
  calls = [];
  options;
  refusesUrls = false;
  /** Calls back in the middle of something, as a listener may. */
  onmessage;

  /** @param {Float64Array} options by their numbers */
  constructor(options) {
    this.options = options;
  }

  option(which) {
    return this.options[which];
  }

  output(what, id, detail, number, a, b, c, value) {
    const [name, said] = outputs[what];
    this.calls.push([name, ...said({ id, detail, number, a, b, c, value }).map((one) => one ?? null)]);
    if (name === "message") this.onmessage?.(value);
    return name === "openSocket" && this.open(id, a);
  }

  open(_attempt, _url) {
    return !this.refusesUrls;
  }
}

export const fakeHost = (options) => new FakeHost(options);
export const takeCalls = (host) => host.calls.splice(0);
export const refuseUrls = (host) => (host.refusesUrls = true);
export const onMessage = (host, callback) => (host.onmessage = callback);

/** A host whose socket is the browser's own; `closed` is called with how it ended. */
export function browserHost(options, closed) {
  const host = new FakeHost(options);
  host.open = (attempt, url) => {
    const socket = new WebSocket(url);
    socket.onclose = ({ code, reason }) => closed(attempt, code, reason);
    return true;
  };
  return host;
}

/** Sets the clock, which then stands still. */
export function setClock(milliseconds) {
  Date.now = () => milliseconds;
}
