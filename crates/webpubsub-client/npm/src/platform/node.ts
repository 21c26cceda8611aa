// Node: the WebAssembly lies beside the script.
import { readFile } from "node:fs/promises";
import { WebSocket as Ws } from "ws";
import { loadOnce } from "../load.js";
import type { WebSocketLike } from "../models.js";

// Node 20 has no WebSocket of its own.
export const openSocket = (url: string, protocol: string): WebSocketLike =>
  new (globalThis.WebSocket ?? Ws)(url, protocol);

/** `ws` tells the status of a refusal in its message, and gives system errors a code. */
export function explain({ message, error }: { message?: string; error?: { code?: string } }) {
  const status = /^Unexpected server response: (\d+)$/.exec(message ?? "")?.[1];
  if (status) return { status: Number(status) };
  return error?.code ? {} : undefined;
}

export const onWake = (_wake: () => void) => () => {};

export const loadCore = () =>
  loadOnce(async () => WebAssembly.compile(await readFile(new URL("core.wasm", import.meta.url)).catch(inlined)));

/** For scripts that a bundler has moved away from their files. */
async function inlined() {
  const { default: text } = await import("#inlined");
  const { inflateSync } = await import("node:zlib");
  return inflateSync(Buffer.from(text, "base64"));
}
