// A host that does nothing but remember what it is asked, with sockets that a test plays.

export class FakeSocket {
  sent = [];
  closed = 0;
  /** What a closed port or a wrong state throws. */
  fails = false;

  send(text) {
    if (this.fails) throw new Error("not open");
    this.sent.push(text);
  }

  close(...args) {
    if (args.length > 0) throw new Error("closed with a code");
    this.closed++;
  }
}

class FakeHost {
  calls = [];
  socket = new FakeSocket();
  refusesUrls = false;
  /** Calls back in the middle of something, as a listener may. */
  onmessage;

  openSocket(attempt, url, protocol) {
    this.calls.push(["openSocket", attempt, url, protocol]);
    if (this.refusesUrls) throw new SyntaxError("not a URL");
    return this.socket;
  }

  sendError(message, ackId, name, detail) {
    return Object.assign(new Error(message), { ackId, detail: name && `${name}: ${detail}` });
  }

  invocationError(message, invocationId, name, detail) {
    return Object.assign(new Error(message), { invocationId, detail: name && `${name}: ${detail}` });
  }

  failed(call, error) {
    if (error.invocationId) {
      this.calls.push(["invocationFailed", call, error.message, error.invocationId, error.detail ?? null]);
      return;
    }
    this.calls.push(["failed", call, error.message, error.ackId ?? null, error.detail ?? null]);
  }

  rejoinFailed(group, error) {
    this.calls.push(["rejoinFailed", group, error.message]);
  }

  message(message) {
    this.calls.push(["message", message]);
    this.onmessage?.(message);
  }
}

for (const name of [
  "fetchUrl",
  "setTimer",
  "started",
  "startFailed",
  "done",
  "invoked",
  "connected",
  "disconnected",
  "stopped",
  "recovering",
  "recovered",
]) {
  FakeHost.prototype[name] = function (...args) {
    this.calls.push([name, ...args.map((arg) => arg ?? null)]);
  };
}

export const fakeHost = () => new FakeHost();
export const takeCalls = (host) => host.calls.splice(0);
export const takeSent = (host) => host.socket.sent.splice(0);
export const timesClosed = (host) => host.socket.closed;
export const refuseUrls = (host) => (host.refusesUrls = true);
export const failSends = (host) => (host.socket.fails = true);
export const onMessage = (host, callback) => (host.onmessage = callback);

/** A host whose socket is the browser's own; `closed` is called with how it ended. */
export function browserHost(closed) {
  const host = new FakeHost();
  host.openSocket = (attempt, url) => {
    const socket = new WebSocket(url);
    socket.onclose = ({ code, reason }) => closed(attempt, code, reason);
    return socket;
  };
  return host;
}

/** Sets the clock, which then stands still. */
export function setClock(milliseconds) {
  Date.now = () => milliseconds;
}
