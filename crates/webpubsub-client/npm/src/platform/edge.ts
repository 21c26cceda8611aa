// Vercel's edge runtime, whose bundlers take WebAssembly as a module where its name says so.
import module from "./core.wasm?module";
import { loadOnce } from "../load.js";

export * from "./web.js";

export const loadCore = () => loadOnce(async () => module);
