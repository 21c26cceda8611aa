// The numbers of the locals in a wasm module's functions: those that compress best.
//
// The engine does not care which of a function's own locals has which number, as long as its type is the same.
import { deflateRawSync } from "node:zlib";
import { Reader, codeBodies, number, parameterCounts, withBodies } from "./wasm.mjs";

/** How far back gzip refers. */
const REACH_BYTES = 32_768;

const [LOCAL_GET, LOCAL_TEE] = [0x20, 0x22];

/**
 * A function's own local: its type, its place among all, how often it is used, and where first and last.
 * @typedef {{ type: number, index: number, uses: number, first: number, last: number }} Local
 *
 * Where a local's number stands in a function.
 * @typedef {{ local: number, at: number, end: number }} Use
 */

/**
 * Orders of a function's locals, each by its type, how often it is used, and where first and last; `wasm-opt` numbers
 * them by how often.
 * @type {((one: Local, other: Local) => number)[]}
 */
const ORDERS = [
  (one, other) => other.uses - one.uses || other.last - one.last,
  (one, other) => one.first - other.first,
  (one, other) => other.first - one.first,
  (one, other) => other.last - one.last,
];

/**
 * The module with the locals of each function numbered as compresses best after the functions before it.
 * @param {Buffer} module
 */
export function numberedLocals(module) {
  const counts = parameterCounts(module);
  let before = Buffer.alloc(0);
  const bodies = codeBodies(module).bodies.map((body, index) => {
    const read = readBody(body);
    const numbered = [body, ...ORDERS.map((order) => renumbered(body, read, counts[index], order))];
    const options = before.length > 0 ? { level: 9, dictionary: before } : { level: 9 };
    const sizes = numbered.map((candidate) => deflateRawSync(candidate, options).length);
    const best = numbered[sizes.indexOf(Math.min(...sizes))];
    before = Buffer.concat([before, number(best.length), best]).subarray(-REACH_BYTES);
    return best;
  });
  return withBodies(module, bodies);
}

/**
 * The types of a function's own locals, where its instructions begin, and where a local's number stands in them.
 * @param {Buffer} body
 */
function readBody(body) {
  const reader = new Reader(body);
  /** @type {number[]} */
  const types = [];
  for (let groups = reader.number(); groups > 0; groups--) {
    const count = reader.number();
    const type = reader.byte();
    for (let left = count; left > 0; left--) types.push(type);
  }
  const start = reader.at;
  /** @type {Use[]} */
  const uses = [];
  while (!reader.done) {
    const opcode = reader.byte();
    const at = reader.at;
    if (opcode < LOCAL_GET || opcode > LOCAL_TEE) skipRest(reader, opcode);
    else uses.push({ local: reader.number(), at, end: reader.at });
  }
  return { types, start, uses };
}

/**
 * Skips what follows an opcode.
 * @param {Reader} reader
 * @param {number} opcode
 */
function skipRest(reader, opcode) {
  const numbers = (/** @type {number} */ count) => {
    for (; count > 0; count--) reader.number();
  };
  const is = (/** @type {number} */ from, to = from) => opcode >= from && opcode <= to;
  // Most instructions have nothing, and those that load and store an alignment and an offset.
  if (is(0x00, 0x01) || is(0x05) || is(0x0a, 0x0b) || is(0x0f) || is(0x1a, 0x1b) || is(0x45, 0xc4)) return;
  if (is(0x28, 0x3e) || is(0x11)) numbers(2);
  else if (is(0x0e)) numbers(reader.number() + 1);
  else if (is(0x1c)) numbers(reader.number());
  else if (is(0x1f)) skipCatches(reader);
  else if (is(0x43)) reader.take(4);
  else if (is(0x44)) reader.take(8);
  else if (is(0xfc)) {
    const more = reader.number();
    if (more > 17) throw new Error(`A wasm module has an instruction that is not known: 0xfc ${more}.`);
    numbers([0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1][more]);
  } else if (is(0x02, 0x04) || is(0x08) || is(0x0c, 0x0d) || is(0x10) || is(0x23, 0x26) || is(0x3f, 0x42)) numbers(1);
  else if (is(0xd0) || is(0xd2)) numbers(1);
  else if (!is(0xd1)) throw new Error(`A wasm module has an instruction that is not known: ${opcode}.`);
}

/**
 * Skips the type of a block that catches exceptions, and which of them: some kinds have a tag beside their target.
 * @param {Reader} reader
 */
function skipCatches(reader) {
  reader.number();
  for (let left = reader.number(); left > 0; left--) {
    const hasTag = reader.byte() < 2;
    if (hasTag) reader.number();
    reader.number();
  }
}

/**
 * A function whose locals of each type have their numbers in this order.
 * @param {Buffer} body
 * @param {{ types: number[], start: number, uses: Use[] }} read
 * @param {number} parameters
 * @param {(one: Local, other: Local) => number} order
 */
function renumbered(body, { types, start, uses }, parameters, order) {
  const locals = types.map((type, index) => ({ type, index, uses: 0, first: Infinity, last: -1 }));
  for (const { local, at } of uses) {
    const used = locals[local - parameters];
    if (!used) continue;
    used.uses++;
    used.first = Math.min(used.first, at);
    used.last = at;
  }
  // The groups of types stay where they are.
  const kinds = [...new Set(types)];
  const place = (/** @type {Local} */ { type }) => kinds.indexOf(type);
  const sorted = [...locals].sort(
    (one, other) => place(one) - place(other) || order(one, other) || one.index - other.index,
  );
  /** @type {Buffer[]} */
  const numbers = [];
  for (const [at, { index }] of sorted.entries()) numbers[index] = number(parameters + at);
  const groups = kinds.map((type) => [types.filter((other) => other === type).length, type]);
  /** @type {Buffer[]} */
  const parts = [number(groups.length), ...groups.flatMap(([count, type]) => [number(count), Buffer.of(type)])];
  let from = start;
  for (const { local, at, end } of uses) {
    if (local < parameters) continue;
    parts.push(body.subarray(from, at), numbers[local - parameters]);
    from = end;
  }
  return Buffer.concat([...parts, body.subarray(from)]);
}
