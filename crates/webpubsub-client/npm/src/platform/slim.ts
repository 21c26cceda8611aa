// For those who serve `core.wasm` themselves.
import { compileGiven } from "../init.js";
import { loadOnce } from "../load.js";

export * from "./web.js";

export const loadCore = () => loadOnce(compileGiven);
