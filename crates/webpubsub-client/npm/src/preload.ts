// For an application that does not want its first `start` to wait for the WebAssembly.
import { loadCore } from "#platform";

/** Loads the WebAssembly now, rather than with the first `start`. Done when it is there. */
export const preload = (): Promise<void> => loadCore().then(() => {});
