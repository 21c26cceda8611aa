// `ws` on Node: a room for each path passes on what it is sent.
import http from "node:http";
import { text } from "node:stream/consumers";
import { WebSocketServer } from "ws";

/** @import WebSocket from "ws" */

/** @type {Map<string | undefined, Set<WebSocket>>} */
const rooms = new Map();

/** @param {string | undefined} path */
function room(path) {
  let its = rooms.get(path);
  if (!its) rooms.set(path, (its = new Set()));
  return its;
}

/**
 * @param {string | undefined} path
 * @param {string | WebSocket.RawData} message
 */
function send(path, message) {
  for (const socket of room(path)) socket.send(message, { binary: false });
}

const server = http.createServer(async (request, response) => {
  if (request.method === "POST") send(request.url, await text(request));
  response.writeHead(202).end();
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket, { url }) => {
  room(url).add(socket);
  socket.on("message", (message) => send(url, message));
  socket.on("close", () => room(url).delete(socket));
  socket.on("error", () => socket.terminate());
});
server.listen(Number(process.argv[2]), "127.0.0.1");
