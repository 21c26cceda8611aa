// Bytes straight to the service's port, for what no HTTP library would send.
import net from "node:net";
import { within } from "./waiting.mjs";

/** Sends the bytes and returns everything that came back until the service closed, which it is asked to do. */
export function exchange(service, bytes) {
  const answer = new Promise((resolve, reject) => {
    const chunks = [];
    const socket = net.connect(service.port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("close", () => resolve(Buffer.concat(chunks)));
    socket.on("error", (error) => (error.code === "ECONNRESET" ? resolve(Buffer.concat(chunks)) : reject(error)));
  });
  return within(answer, "the end of a raw exchange");
}

/** One WebSocket frame as it stands on the wire, masked as a client's must be. */
export function frame(opcode, payload, { fin = true, reserved = 0 } = {}) {
  const mask = Buffer.from([1, 2, 3, 4]);
  const head = payload.length < 126 ? Buffer.from([0, 0x80 | payload.length]) : Buffer.from([0, 0x80 | 126, payload.length >> 8, payload.length & 255]);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ mask[at % 4])]);
}
