// A host that does nothing but remember what it is asked.

class FakeHost {
  calls = [];
  refusesUrls = false;
  /** Calls back in the middle of something, as a listener may. */
  onmessage;

  openSocket(attempt, url) {
    this.calls.push(["openSocket", attempt, url]);
    return !this.refusesUrls;
  }

  message(message) {
    this.calls.push(["message", message]);
    this.onmessage?.(message);
  }
}

for (const name of [
  "fetchUrl",
  "closeSocket",
  "send",
  "setTimer",
  "started",
  "startFailed",
  "done",
  "failed",
  "invoked",
  "invocationFailed",
  "connected",
  "disconnected",
  "stopped",
  "recovery",
  "rejoinFailed",
]) {
  FakeHost.prototype[name] = function (...args) {
    this.calls.push([name, ...args.map((arg) => arg ?? null)]);
  };
}

export const fakeHost = () => new FakeHost();
export const takeCalls = (host) => host.calls.splice(0);
export const refuseUrls = (host) => (host.refusesUrls = true);
export const onMessage = (host, callback) => (host.onmessage = callback);

/** A host whose socket is the browser's own; `closed` is called with how it ended. */
export function browserHost(closed) {
  const host = new FakeHost();
  host.openSocket = (attempt, url) => {
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
