// `@webpubsub-edge/client/slim`: the client without its WebAssembly, for those who serve `core.wasm` themselves.
export * from "./index.js";
export { init } from "./init.js";
