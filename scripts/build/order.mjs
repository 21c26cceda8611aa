// The order of a wasm module's functions: like stands beside like, which compresses better.
//
// The engine does not care in which order they are.
import { codeBodies, moduleOf, number, sections } from "./wasm.mjs";

/** Functions are alike by how many runs of so many bytes they share. */
const RUN_BYTES = 5;

/**
 * The module with names for its functions by which they can be sorted, and without its other names: for
 * `wasm-opt --reorder-functions-by-name`, which also mends the calls.
 */
export function namedByLikeness(module) {
  const { first, bodies } = codeBodies(module);
  const places = [];
  for (const [place, index] of chain(bodies).entries()) places[index] = place;
  const entries = places.flatMap((place, index) => [number(first + index), text(`${place}`.padStart(6, "0"))]);
  const functions = Buffer.concat([number(bodies.length), ...entries]);
  const content = Buffer.concat([text("name"), Buffer.of(1), number(functions.length), functions]);
  const kept = sections(module).filter(({ name }) => name !== "custom name");
  return moduleOf([...kept.map((section) => section.whole), Buffer.of(0), number(content.length), content]);
}

/** Indices of `bodies`: the longest one, and after each the one of those left that shares most with it. */
export function chain(bodies) {
  const runs = bodies.map(runsOf);
  /** @type {Map<number, number[]>} */
  const holders = new Map();
  for (const [index, own] of runs.entries()) {
    for (const run of own) {
      const those = holders.get(run);
      if (those) those.push(index);
      else holders.set(run, [index]);
    }
  }
  const left = new Set(bodies.keys());
  const order = [];
  let next = bodies.reduce((longest, body, index) => (body.length > bodies[longest].length ? index : longest), 0);
  while (left.delete(next)) {
    order.push(next);
    const shared = new Float64Array(bodies.length);
    for (const run of runs[next]) for (const index of holders.get(run) ?? []) shared[index]++;
    for (const index of left) if (!left.has(next) || shared[index] > shared[next]) next = index;
  }
  return order;
}

/** All runs of bytes in a function, as numbers. */
function runsOf(body) {
  const runs = new Set();
  for (let at = 0; at + RUN_BYTES <= body.length; at++) runs.add(body.readUIntBE(at, RUN_BYTES));
  return runs;
}

/** A name, with its length in front. */
function text(name) {
  const bytes = Buffer.from(name);
  return Buffer.concat([number(bytes.length), bytes]);
}
