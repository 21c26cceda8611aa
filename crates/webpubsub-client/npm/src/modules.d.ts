/** The WebAssembly, deflated and in base64; made by `build.mjs`. */
declare module "#inlined" {
  const text: string;
  export default text;
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
