// Pages, and everything else that has their WebSocket: the WebAssembly is in the script itself.
import inlined from "#inlined";
import { loadOnce } from "../load.js";

export * from "./web.js";

export const loadCore = () =>
  loadOnce(async () => {
    const deflated = Uint8Array.from(atob(inlined), (character) => character.charCodeAt(0));
    const inflated = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
    return WebAssembly.compile(await new Response(inflated).arrayBuffer());
  });
