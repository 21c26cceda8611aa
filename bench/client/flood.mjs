// A service that floods whoever connects: a program of its own, so that it shares no thread with the client.
//
// The URL says with how many messages of which length; an event named `go` begins a flood. All frames of a flood are
// made before it begins, and are written to the socket as they are.
import { WebSocketServer } from "ws";

/** What is written at once, in bytes, of whole frames: as much as a socket's buffers take. A pong may come in between. */
const CHUNK = 1 << 20;

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: ([offered]) => offered ?? false });

server.on("listening", () => process.send?.(/** @type {import("node:net").AddressInfo} */ (server.address()).port));
server.on("connection", (socket, { url }) => {
  const { searchParams } = new URL(url ?? "/", "ws://flood");
  const [count, length] = ["count", "length"].map((name) => Number(searchParams.get(name)));
  let sent = 0;
  socket.on("error", () => {});
  socket.on("message", async (data) => {
    const { type, event } = JSON.parse(String(data));
    if (type === "ping") socket.send('{"type":"pong"}');
    if (event !== "go") return;
    const chunks = flood(sent, count, length);
    sent += count;
    socket.send('{"type":"message","from":"server","dataType":"text","data":"begin"}');
    for (const chunk of chunks) await written(socket, chunk);
  });
  const connected = { type: "system", event: "connected", connectionId: "c1", userId: "alice", reconnectionToken: "t" };
  socket.send(JSON.stringify(connected));
});
process.on("disconnect", () => process.exit());

/**
 * So many group messages as WebSocket frames, in chunks; the payload of each has this length.
 * @param {number} after
 * @param {number} count
 * @param {number} length
 */
function flood(after, count, length) {
  const data = "0123456789".repeat(Math.ceil(length / 10)).slice(0, length);
  const chunks = [];
  let frames = [];
  let size = 0;
  for (let number = 1; number <= count; number++) {
    const text = Buffer.from(
      JSON.stringify({
        type: "message",
        from: "group",
        fromUserId: "bob",
        group: "room",
        dataType: "text",
        data,
        sequenceId: after + number,
      }),
    );
    const head = text.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
    head[0] = 0x81;
    head[1] = Math.min(text.length, 126);
    if (text.length >= 126) head.writeUInt16BE(text.length, 2);
    frames.push(head, text);
    size += head.length + text.length;
    if (size < CHUNK && number < count) continue;
    chunks.push(Buffer.concat(frames));
    frames = [];
    size = 0;
  }
  return chunks;
}

/**
 * @param {import("ws").WebSocket} socket
 * @returns {import("node:net").Socket}
 */
const transportOf = (socket) =>
  /** @type {{ _socket: import("node:net").Socket }} */ (/** @type {unknown} */ (socket))._socket;

/**
 * Writes bytes to a socket's own connection, as fast as its peer reads.
 * @param {import("ws").WebSocket} socket
 * @param {Buffer} bytes
 */
const written = (socket, bytes) => new Promise((resolve) => transportOf(socket).write(bytes, resolve));
