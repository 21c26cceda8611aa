// Runtimes that compile WebAssembly only when a worker is deployed: they import it as a module.
import module from "./core.wasm";
import { loadOnce } from "../load.js";

export * from "./web.js";

export const loadCore = () => loadOnce(async () => module);
