// The yardstick: a Durable Object in a few lines of JavaScript that passes on what it is sent.
import { OnWorkerd } from "./workerd.mjs";

const SOURCE = `
export class Room {
  constructor(state) {
    this.state = state;
  }
  async fetch(request) {
    if (request.headers.get("Upgrade")) {
      const [client, server] = Object.values(new WebSocketPair());
      this.state.acceptWebSocket(server);
      return new Response(null, { status: 101, webSocket: client });
    }
    this.webSocketMessage(undefined, await request.text());
    return new Response(null, { status: 202 });
  }
  webSocketMessage(_, message) {
    for (const socket of this.state.getWebSockets()) socket.send(message);
  }
  webSocketClose(socket, code) {
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }
}
export default {
  fetch(request, { ROOM }) {
    return ROOM.get(ROOM.idFromName(new URL(request.url).pathname)).fetch(request);
  },
};
`;

/** Each group is an object of its own. */
export class Bare extends OnWorkerd {
  constructor() {
    super(SOURCE, "raw");
  }

  member(hub, group) {
    return { path: `/${hub}/${group}` };
  }

  client() {}

  publish(hub, { group }) {
    return group === undefined ? undefined : { path: `/${hub}/${group}` };
  }
}
