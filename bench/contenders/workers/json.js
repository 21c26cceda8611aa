// What the JSON subprotocol itself costs: its messages in a JavaScript object a hub, without tokens, permissions and storage.
// Hibernation leaves a connection the groups that it began with.
export class Room {
  #groups = new Map();

  constructor(state) {
    this.state = state;
    for (const socket of state.getWebSockets())
      for (const group of socket.deserializeAttachment()) this.#members(group).add(socket);
  }

  #members(group) {
    let members = this.#groups.get(group);
    if (!members) this.#groups.set(group, (members = new Set()));
    return members;
  }

  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (request.headers.get("Upgrade")) return this.#accept(searchParams.getAll("group"));
    const group = /\/groups\/([^/]+)\//.exec(pathname)?.[1];
    const data = await request.text();
    send(group === undefined ? this.state.getWebSockets() : this.#members(group), {
      from: "server",
      dataType: "text",
      data,
    });
    return new Response(null, { status: 202 });
  }

  #accept(groups) {
    const [client, server] = Object.values(new WebSocketPair());
    this.state.acceptWebSocket(server);
    server.serializeAttachment(groups);
    for (const group of groups) this.#members(group).add(server);
    server.send(
      JSON.stringify({ type: "system", event: "connected", userId: null, connectionId: crypto.randomUUID() }),
    );
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "Sec-WebSocket-Protocol": "json.webpubsub.azure.v1" },
    });
  }

  webSocketMessage(socket, message) {
    const { type, group, ackId, dataType, data } = JSON.parse(message);
    let error;
    if (type === "sendToGroup") {
      send(this.#members(group), { from: "group", group, dataType, data });
    } else if (type === "joinGroup") {
      this.#members(group).add(socket);
    } else if (type === "leaveGroup") {
      this.#leave(socket, group);
    } else {
      error = { name: "BadRequest", message: "This is a bench." };
    }
    if (ackId !== undefined) socket.send(JSON.stringify({ type: "ack", ackId, success: !error, error }));
  }

  #leave(socket, group) {
    const members = this.#groups.get(group);
    members?.delete(socket);
    if (members?.size === 0) this.#groups.delete(group);
  }

  webSocketClose(socket, code) {
    for (const group of [...this.#groups.keys()]) this.#leave(socket, group);
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }
}

function send(sockets, message) {
  const frame = JSON.stringify({ type: "message", ...message });
  for (const socket of sockets) socket.send(frame);
}

export default {
  fetch: (request, { ROOM }) => ROOM.get(ROOM.idFromName(new URL(request.url).pathname.split("/")[3])).fetch(request),
};
