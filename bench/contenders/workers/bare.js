// The yardstick: a Durable Object in a few lines that passes on what it is sent, one object a group.
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
  fetch: (request, { ROOM }) => ROOM.get(ROOM.idFromName(new URL(request.url).pathname)).fetch(request),
};
