// What the files of `worker/js` find on the platform and Node lacks. Import this before any of them.
import { registerHooks } from "node:module";

/** Listeners of the global scope, by the event that they wait for. */
const listeners = new Map();

globalThis.addEventListener = (type, listener) => listeners.set(type, [...(listeners.get(type) ?? []), listener]);

/** What `reportError` was given. */
export const reported = [];

/** As the platform does it, the global scope's listeners learn of it. */
globalThis.reportError = (error) => {
  reported.push(error);
  for (const listener of listeners.get("error") ?? []) listener({ error });
};

/** Waits of `scheduler.wait`, in their order; each is a function that ends it. */
export const waits = [];

Object.assign(globalThis, { scheduler: { wait: () => new Promise((resolve) => waits.push(resolve)) } });

/** Ends all waits that there are, and lets what waits for them go on. */
export async function pass() {
  for (const end of waits.splice(0)) end();
  await settle();
}

/** Lets all promises that can settle do so. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/**
 * An object of a test where the platform's belongs. It has what is used of that.
 * @template T
 * @param {object} object
 * @returns {T}
 */
export const standIn = (object) => /** @type {T} */ (object);

/** What a trap throws. */
export const trap = () => new WebAssembly.RuntimeError("unreachable");

/** What the platform is to wait for before it ends the object. */
export const awaited = [];

globalThis.waitUntil = (promise) => awaited.push(promise);

/** Has an import of a module that only the bundle or the platform has find this source. */
export function module(specifier, source) {
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  registerHooks({
    resolve: (asked, context, next) => (asked === specifier ? { url, shortCircuit: true } : next(asked, context)),
  });
}

module(
  "cloudflare:workers",
  `export const waitUntil = (promise) => globalThis.waitUntil(promise);
  export class DurableObject { constructor(ctx, env) { Object.assign(this, { ctx, env }); } }`,
);
