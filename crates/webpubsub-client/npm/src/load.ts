// Starts the WebAssembly, which each file of `platform` finds in its own way.
import { instantiate } from "#core";

let loading: ReturnType<typeof instantiate> | undefined;

/** Starts the WebAssembly once for all clients; a failure is forgotten, so that a later start can succeed. */
export function loadOnce(compile: () => Promise<WebAssembly.Module>): ReturnType<typeof instantiate> {
  return (loading ??= compile()
    .then(instantiate)
    .catch((cause) => {
      loading = undefined;
      throw new Error(
        "The WebAssembly of @webpubsub-edge/client could not be started. If the page has a " +
          "Content-Security-Policy, its script-src needs 'wasm-unsafe-eval'.",
        { cause },
      );
    }));
}
