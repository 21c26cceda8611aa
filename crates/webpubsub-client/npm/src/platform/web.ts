// What all platforms with a browser's WebSocket have in common.
import type { Explanation } from "../errors.js";
import type { WebSocketLike } from "../models.js";

export const openSocket = (url: string, protocol: string): WebSocketLike => new WebSocket(url, protocol);

/** A browser says nothing about why a socket did not open. */
export const explain = (_event: unknown): Explanation | undefined => undefined;

/** Calls back when the network is there again and when the page is looked at again. */
export function onWake(wake: () => void): () => void {
  const look = () => {
    if (document.visibilityState === "visible") wake();
  };
  globalThis.addEventListener?.("online", wake);
  globalThis.document?.addEventListener("visibilitychange", look);
  return () => {
    globalThis.removeEventListener?.("online", wake);
    globalThis.document?.removeEventListener("visibilitychange", look);
  };
}
