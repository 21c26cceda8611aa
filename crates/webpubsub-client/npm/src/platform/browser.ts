// Pages, and everything else that has their WebSocket: the WebAssembly is in the script itself.
import inlined from "#inlined";
import { loadOnce } from "../load.js";
import { unpack } from "../unpack.js";

export * from "./web.js";

export const loadCore = () => loadOnce(() => WebAssembly.compile(unpack(inlined)));
