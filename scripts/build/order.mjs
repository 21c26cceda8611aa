// The order of a wasm module's functions: like stands beside like, which compresses better.
//
// The engine does not care in which order they are.
import { codeBodies, moduleOf, number, sections } from "./wasm.mjs";

/** Functions are alike by the runs of so many bytes that they share. */
const RUN_BYTES = 5;
/** How far back gzip refers, less what it does not reach while it looks ahead. */
const REACH_BYTES = 30_000;
/** By which power of its size likeness is measured: a large function shares something with everything. */
const SIZE_EXPONENT = 0.8;

/**
 * The module with names for its functions by which they can be sorted, and without its other names: for
 * `wasm-opt --reorder-functions-by-name`, which also mends the calls.
 * @param {Buffer} module
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

/**
 * Indices of `bodies`: the longest one, and then again and again the one of those left that shares most, for its size,
 * with those which gzip can refer to, and once more with the one right before it.
 * @param {Buffer[]} bodies
 */
export function chain(bodies) {
  const runs = bodies.map(runsOf);
  const holders = holdersOf(runs);
  /** How much each shares with those in reach; a run that few have says more than one that many have. */
  const inReach = new Float64Array(bodies.length);
  /**
   * @param {Float64Array} to
   * @param {number} run
   * @param {number} sign
   */
  const add = (to, run, sign) => {
    const those = holders.get(run) ?? [];
    for (const index of those) to[index] += sign / Math.sqrt(those.length);
  };
  /** @type {Map<number, number>} */
  const counts = new Map();
  /**
   * @param {number} run
   * @param {number} sign
   */
  const count = (run, sign) => {
    const had = counts.get(run) ?? 0;
    counts.set(run, had + sign);
    if (had === 0 || had + sign === 0) add(inReach, run, sign);
  };

  const left = new Set(bodies.keys());
  const order = [];
  let [next, oldest, bytes] = [longest(bodies), 0, 0];
  while (left.delete(next)) {
    order.push(next);
    bytes += bodies[next].length;
    for (const run of runs[next]) count(run, 1);
    for (; bytes > REACH_BYTES && order[oldest] !== next; oldest++) {
      bytes -= bodies[order[oldest]].length;
      for (const run of runs[order[oldest]]) count(run, -1);
    }
    const withLast = new Float64Array(bodies.length);
    for (const run of runs[next]) add(withLast, run, 1);
    let most = -1;
    for (const index of left) {
      const likeness = (inReach[index] + withLast[index]) / (runs[index].size + 1) ** SIZE_EXPONENT;
      if (likeness > most) [next, most] = [index, likeness];
    }
  }
  return order;
}

/** @param {Buffer[]} bodies */
const longest = (bodies) => bodies.reduce((most, body, index) => (body.length > bodies[most].length ? index : most), 0);

/**
 * Which functions have a run, for those that several have.
 * @param {Set<number>[]} runs
 */
function holdersOf(runs) {
  /** @type {Map<number, number[]>} */
  const holders = new Map();
  for (const [index, own] of runs.entries()) {
    for (const run of own) {
      const those = holders.get(run);
      if (those) those.push(index);
      else holders.set(run, [index]);
    }
  }
  for (const [run, those] of holders) if (those.length === 1) holders.delete(run);
  return holders;
}

/**
 * All runs of bytes in a function, as numbers.
 * @param {Buffer} body
 */
function runsOf(body) {
  const runs = new Set();
  for (let at = 0; at + RUN_BYTES <= body.length; at++) runs.add(body.readUIntBE(at, RUN_BYTES));
  return runs;
}

/**
 * A name, with its length in front.
 * @param {string} name
 */
function text(name) {
  const bytes = Buffer.from(name);
  return Buffer.concat([number(bytes.length), bytes]);
}
