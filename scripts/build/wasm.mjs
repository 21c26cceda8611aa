// Looking into a wasm module, and leaving out what nothing needs.
//
// By hand, because Node 20 cannot compile all that workerd can.

const MAGIC = 0x6d736100;
const HEADER_BYTES = 8;
const CUSTOM = 0;
const IMPORT_KINDS = { function: 0, table: 1, memory: 2, global: 3, tag: 4 };
const names = ["custom", "type", "import", "function", "table", "memory", "global", "export", "element", "start", "code", "data", "data count", "tag"];

/** Reads a module from front to back. */
class Reader {
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

  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name() {
    return this.take(this.number()).toString("utf8");
  }
}

/** The sections in order: `name`, `content`, and `whole` with its head. None for anything else. */
export function sections(module) {
  const found = [];
  if (module.length < HEADER_BYTES || module.readUInt32LE(0) !== MAGIC) return found;
  const reader = new Reader(module, HEADER_BYTES);
  while (!reader.done) {
    const start = reader.at;
    const id = reader.byte();
    const content = reader.take(reader.number());
    const name = id === CUSTOM ? `custom ${new Reader(content).name()}` : (names[id] ?? `section ${id}`);
    found.push({ name, content, whole: module.subarray(start, reader.at) });
  }
  return found;
}

/** What the module asks for, as `module.name`. */
export function imports(module) {
  const section = sections(module).find(({ name }) => name === "import");
  if (!section) return [];
  const reader = new Reader(section.content);
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
  return Array.from({ length: reader.number() }, () => {
    const name = `${reader.name()}.${reader.name()}`;
    skip[reader.byte()]();
    return name;
  });
}

/** The module without the functions' names. What a panic says, file and line, does not need them. */
export function withoutNames(module) {
  const kept = sections(module).filter(({ name }) => name !== "custom name");
  return Buffer.concat([module.subarray(0, HEADER_BYTES), ...kept.map(({ whole }) => whole)]);
}
