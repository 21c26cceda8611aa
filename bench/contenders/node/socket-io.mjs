// Socket.IO on Node, over WebSockets only: a room for each group passes on what it is sent.
import http from "node:http";
import { text } from "node:stream/consumers";
import { Server } from "socket.io";

const server = http.createServer(async (request, response) => {
  if (request.method === "POST")
    io.to(new URL(request.url, "http://localhost").searchParams.get("room")).emit("message", await text(request));
  response.writeHead(202).end();
});
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
io.on("connection", (socket) => {
  const { room } = socket.handshake.query;
  socket.join(room);
  socket.on("message", (message) => io.to(room).emit("message", message));
});
server.listen(Number(process.argv[2]), "127.0.0.1");
