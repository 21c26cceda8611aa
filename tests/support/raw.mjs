// Bytes straight to the service's port, for what no HTTP library would send.
import net from "node:net";
import { within } from "./waiting.mjs";

/**
 * Sends the bytes and returns what came back, up to where `enough(text)` says or the service closes.
 * @param {{ port: number }} service
 * @param {string | Buffer} bytes
 * @param {(text: string) => boolean} enough
 */
export function exchange(service, bytes, enough = () => false) {
  /** @type {Promise<string>} */
  const answer = new Promise((resolve, reject) => {
    let text = "";
    const socket = net.connect(service.port, "127.0.0.1", () => socket.write(bytes));
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
      if (enough(text)) socket.destroy();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", (/** @type {NodeJS.ErrnoException} */ error) =>
      error.code === "ECONNRESET" ? resolve(text) : reject(error),
    );
  });
  return within(answer, `an answer to ${Buffer.from(bytes).toString("latin1").slice(0, 800)}`);
}

/**
 * The request of a JSON client for a WebSocket of a hub.
 * @param {import("./service.mjs").Service} service
 * @param {import("./hub.mjs").Hub} hub
 * @param {Parameters<import("./hub.mjs").Hub["token"]>[0]} claims What its token says.
 */
export const upgradeRequest = (service, hub, claims) =>
  [
    `GET /client/hubs/${hub.name}?access_token=${hub.token(claims)} HTTP/1.1`,
    `Host: 127.0.0.1:${service.port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: json.webpubsub.azure.v1\r\n\r\n",
  ].join("\r\n");

/**
 * Whether the head of an HTTP answer is complete.
 * @param {string} text
 */
export const hasHead = (text) => text.includes("\r\n\r\n");

/**
 * Whether a close frame has come with its code, among frames whose text is ASCII.
 * @param {string} text
 */
export const hasClose = (text) => /\x88(?:\x00|.{3})/s.test(text);

/**
 * One WebSocket frame as it stands on the wire, masked as a client's must be.
 * @param {number} opcode
 * @param {Buffer} payload
 */
export function frame(opcode, payload, { fin = true, reserved = 0 } = {}) {
  const mask = Buffer.from([1, 2, 3, 4]);
  const head =
    payload.length < 126
      ? Buffer.from([0, 0x80 | payload.length])
      : Buffer.from([0, 0x80 | 126, payload.length >> 8, payload.length & 255]);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ mask[at % 4])]);
}
