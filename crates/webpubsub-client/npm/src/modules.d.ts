// What the build puts in place: see `build.mjs`.

/** The WebAssembly, as `../pack.mjs` writes it. */
declare module "#inlined" {
  const text: string;
  export default text;
}

/** The file that lies beside the script. */
declare const WASM_FILE: string;

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
