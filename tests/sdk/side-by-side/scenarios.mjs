// What an application does with a client, step by step. Every scenario runs once with each package.
//
// `differs` says what is known to be different, in words of the package's README; then logs must differ. `only` is for
// one of the two protocols.
import { connecting } from "./connecting.mjs";
import { losing } from "./losing.mjs";
import { misbehaving } from "./misbehaving.mjs";
import { operating } from "./operating.mjs";
import { receiving } from "./receiving.mjs";
import { streaming } from "./streaming.mjs";

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {(side: import("./side.mjs").Side) => Promise<void>} run
 * @property {string} [differs]
 * @property {"JSON" | "reliable JSON"} [only]
 */

/** @type {Scenario[]} */
export const scenarios = [...connecting, ...operating, ...receiving, ...losing, ...streaming, ...misbehaving];
