// `#platform`: one of the files in `platform/`.
import type { instantiate } from "#core";
import type { Explanation } from "./errors.js";
import type { WebSocketLike } from "./models.js";

/** Starts the WebAssembly, once for all clients. */
export function loadCore(): ReturnType<typeof instantiate>;
export function openSocket(url: string, protocol: string): WebSocketLike;
/** Why a socket did not open, if the platform reports it: an HTTP status, or none where no server answered. */
export function explain(event: any): Explanation | undefined;
/** Calls back at good moments to look at the link; ends with the function that it returns. */
export function onWake(wake: () => void): () => void;
