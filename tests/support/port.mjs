// Where servers of tests listen.
import dgram from "node:dgram";
import net from "node:net";

/** Below those that systems give to outgoing connections, one of which could take it before a server does. */
const [LOWEST, HOW_MANY] = [20_000, 12_000];

/**
 * The port of a server that listens on TCP.
 * @param {net.Server} server
 */
export function portOf(server) {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on TCP");
  return address.port;
}

/**
 * A port that is free and that no other test is given as long as this process lives: not while a server starts, and not
 * while it is away.
 */
export async function freePort() {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * HOW_MANY);
    if ((await isReserved(port)) && (await isFree(port))) return port;
  }
}

/**
 * Reserves a port: its number on UDP, where no server listens, is this process's.
 * @param {number} port
 */
function isReserved(port) {
  const socket = dgram.createSocket("udp4").unref();
  return new Promise((resolve) => {
    socket.on("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => resolve(true));
  });
}

/** @param {number} port */
function isFree(port) {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
