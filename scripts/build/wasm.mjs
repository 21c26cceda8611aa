// Looking into a wasm module, and making less of it.
//
// By hand, because Node 20 cannot compile all that workerd can.

/**
 * A section of a module: its name, what is in it, and all of it with its head.
 * @typedef {{ name: string, content: Buffer, whole: Buffer }} Section
 */

const MAGIC = 0x6d736100;
const HEADER = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const CUSTOM = 0;
const FUNCTION_TYPE = 0x60;
const IMPORT_KINDS = { function: 0, table: 1, memory: 2, global: 3, tag: 4 };
const names = [
  "custom",
  "type",
  "import",
  "function",
  "table",
  "memory",
  "global",
  "export",
  "start",
  "element",
  "code",
  "data",
  "data count",
  "tag",
];

/** Reads a module from front to back. */
export class Reader {
  /** @param {Buffer} bytes */
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get done() {
    return this.at >= this.bytes.length;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** @param {number} length */
  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name() {
    return this.take(this.number()).toString("utf8");
  }
}

/**
 * The sections in order. None for anything else.
 * @param {Buffer} module
 */
export function sections(module) {
  /** @type {Section[]} */
  const found = [];
  if (module.length < HEADER.length || module.readUInt32LE(0) !== MAGIC) return found;
  const reader = new Reader(module, HEADER.length);
  while (!reader.done) {
    const start = reader.at;
    const id = reader.byte();
    const content = reader.take(reader.number());
    const name = id === CUSTOM ? `custom ${new Reader(content).name()}` : (names[id] ?? `section ${id}`);
    found.push({ name, content, whole: module.subarray(start, reader.at) });
  }
  return found;
}

/**
 * What the module asks for, as `module.name`.
 * @param {Buffer} module
 */
export function imports(module) {
  const section = sections(module).find(({ name }) => name === "import");
  if (!section) return [];
  const reader = new Reader(section.content);
  return Array.from({ length: reader.number() }, () => {
    const name = `${reader.name()}.${reader.name()}`;
    skipImport(reader);
    return name;
  });
}

/**
 * The bodies of the module's own functions, and the index of the first of them: imported ones come before.
 * @param {Buffer} module
 */
export function codeBodies(module) {
  /** @param {string} wanted */
  const content = (wanted) => sections(module).find(({ name }) => name === wanted)?.content ?? Buffer.of(0);
  const code = new Reader(content("code"));
  const bodies = Array.from({ length: code.number() }, () => code.take(code.number()));
  const imported = new Reader(content("import"));
  let first = 0;
  for (let left = imported.number(); left > 0; left--) {
    imported.name();
    imported.name();
    if (skipImport(imported) === IMPORT_KINDS.function) first++;
  }
  return { first, bodies };
}

/**
 * How many parameters each of the module's own functions has.
 * @param {Buffer} module
 */
export function parameterCounts(module) {
  const content = (/** @type {string} */ wanted) =>
    sections(module).find(({ name }) => name === wanted)?.content ?? Buffer.of(0);
  const types = new Reader(content("type"));
  const counts = Array.from({ length: types.number() }, () => {
    if (types.byte() !== FUNCTION_TYPE) throw new Error("A wasm module has a type that is no function's.");
    const parameters = types.take(types.number()).length;
    types.take(types.number());
    return parameters;
  });
  const functions = new Reader(content("function"));
  return Array.from({ length: functions.number() }, () => counts[functions.number()]);
}

/**
 * The module with these bodies for its own functions.
 * @param {Buffer} module
 * @param {Buffer[]} bodies
 */
export function withBodies(module, bodies) {
  const code = Buffer.concat([number(bodies.length), ...bodies.flatMap((body) => [number(body.length), body])]);
  const whole = (/** @type {Section} */ section) =>
    Buffer.concat([section.whole.subarray(0, 1), number(code.length), code]);
  return moduleOf(sections(module).map((section) => (section.name === "code" ? whole(section) : section.whole)));
}

/**
 * Skips what kind of thing an import is, and returns it.
 * @param {Reader} reader
 */
function skipImport(reader) {
  const limits = () => {
    const flags = reader.byte();
    reader.number();
    if (flags & 1) reader.number();
  };
  const skip = {
    [IMPORT_KINDS.function]: () => reader.number(),
    [IMPORT_KINDS.table]: () => (reader.byte(), limits()),
    [IMPORT_KINDS.memory]: limits,
    [IMPORT_KINDS.global]: () => reader.take(2),
    [IMPORT_KINDS.tag]: () => (reader.byte(), reader.number()),
  };
  const kind = reader.byte();
  skip[kind]();
  return kind;
}

/**
 * The module with other names for some of its imports and exports, and without its custom sections:
 * what a panic says, file and line, does not need the functions' names.
 * @param {Buffer} module
 * @param {Record<string, string>} names
 */
export function shortened(module, names) {
  const kept = sections(module).filter(({ name }) => !name.startsWith("custom "));
  const parts = kept.map(({ name, content, whole }) => {
    if (name !== "import" && name !== "export") return whole;
    const reader = new Reader(content);
    const entries = Array.from({ length: reader.number() }, () => {
      const start = reader.at;
      if (name === "import") reader.name();
      const from = content.subarray(start, reader.at);
      const old = reader.name();
      const end = reader.at;
      if (name === "import") skipImport(reader);
      else reader.byte(), reader.number();
      const short = Buffer.from(names[old] ?? old);
      return [from, number(short.length), short, content.subarray(end, reader.at)];
    });
    const renamed = Buffer.concat([number(entries.length), ...entries.flat()]);
    return Buffer.concat([whole.subarray(0, 1), number(renamed.length), renamed]);
  });
  return moduleOf(parts);
}

/**
 * A module of these sections, each with its head.
 * @param {Uint8Array[]} parts
 */
export function moduleOf(parts) {
  return Buffer.concat([HEADER, ...parts]);
}

/**
 * A number as a `Reader` reads it.
 * @param {number} value
 */
export function number(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Buffer.from([...bytes, value]);
}
