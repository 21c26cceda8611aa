// What `worker-build` and wasm-bindgen make of `worker/src`, as far as the entry uses it.
import type { Generated } from "./traps.ts";

export declare const HubShard: Generated;
export declare const HubDirectory: Generated;

declare const Entrypoint: {
  prototype: { fetch(this: { env: unknown }, request: Request): Response | Promise<Response> };
};
export default Entrypoint;
