// Node: the WebAssembly lies beside the script, and sockets are those of `ws`. They say why they did
// not open, on every Node alike, and no test environment puts others in their place.
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { readFile } from "node:fs/promises";
import { WebSocket } from "ws";
import { loadOnce } from "../load.js";
import type { Explanation } from "../errors.js";
import type { WebSocketLike } from "../models.js";
import { wordsOf } from "../refusal.js";
import { unpack } from "../unpack.js";

/** How much of a refusal's body is read, and how long it may take to come. */
const BODY_LIMIT = 4096;
const BODY_PATIENCE_MS = 1000;

/** The service's answer to an upgrade, where it is not a WebSocket. */
class Refusal extends Error {
  constructor(readonly explanation: Explanation) {
    super(`Unexpected server response: ${explanation.status}`);
  }
}

export function openSocket(url: string, protocol: string): WebSocketLike {
  const socket = new WebSocket(url, protocol, { skipUTF8Validation: true });
  socket.once("unexpected-response", async (_request, response) => {
    const detail = wordsOf(response.headers["content-type"], await bodyOf(response));
    socket.emit("error", new Refusal({ status: response.statusCode, detail }));
    socket.terminate();
  });
  // Without the event that `ws` makes of each frame for `onmessage`: that costs a tenth of what a short message does.
  Object.defineProperty(socket, "onmessage", {
    set: (listener: (event: { data: unknown }) => void) =>
      socket.on("message", (data: Buffer, isBinary: boolean) => {
        const text = isBinary ? data : textOf(data);
        if (text !== undefined) return listener({ data: text });
        // As RFC 6455 has it, section 8.1.
        socket.removeAllListeners("message");
        socket.close(1007);
      }),
  });
  return socket;
}

/** A frame's text, if it is any: what is no UTF-8 is decoded to U+FFFD, which a text may have, too, but seldom has. */
function textOf(data: Buffer): string | undefined {
  const text = data.toString();
  return text.includes("\ufffd") && !isUtf8(data) ? undefined : text;
}

/** The beginning of an answer's body, as far as it comes. */
function bodyOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let body = Buffer.alloc(0);
    const end = () => {
      clearTimeout(timer);
      resolve(body.toString());
    };
    const timer = setTimeout(end, BODY_PATIENCE_MS);
    response.on("data", (chunk: Buffer) => {
      body = Buffer.concat([body, chunk]).subarray(0, BODY_LIMIT);
      if (body.length === BODY_LIMIT) end();
    });
    for (const event of ["end", "error", "close"]) response.on(event, end);
  });
}

/** System errors have a code. Sockets of `ws` that an application makes have a status in their message. */
export function explain({ message = "", error }: { message?: string; error?: Error & { code?: string } }) {
  if (error instanceof Refusal) return error.explanation;
  const status = /^Unexpected server response: (\d+)$/.exec(message)?.[1];
  if (status) return { status: Number(status) };
  return error?.code ? {} : undefined;
}

export const onWake = (_wake: () => void) => () => {};

export const loadCore = () => loadOnce(async () => WebAssembly.compile(await file().catch(inlined)));

/**
 * A script that esbuild has made CommonJS of does not know where it is (`findings/esbuild-cjs-without-import-meta.sh`): the
 * address fails as a file does that is not there.
 */
const file = async () => readFile(new URL(WASM_FILE, import.meta.url));

/** For scripts that a bundler has moved away from their files. */
async function inlined() {
  const { default: text } = await import("#inlined");
  return unpack(text);
}
