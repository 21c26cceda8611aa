import { loadCore } from "#platform";

/** Loads the WebAssembly now, rather than with the first `start`. Done when it is there. */
export const preload = (): Promise<void> => loadCore().then(() => {});
