// The sections of a wasm module, to look at and to leave out.

const MAGIC = 0x6d736100;
const HEADER_BYTES = 8;
const CUSTOM = 0;
const names = ["custom", "type", "import", "function", "table", "memory", "global", "export", "element", "start", "code", "data", "data count", "tag"];

/** The sections in order: `name`, `content`, and `whole` with its head. Empty for anything else. */
export function sections(module) {
  const found = [];
  if (module.length < HEADER_BYTES || module.readUInt32LE(0) !== MAGIC) return found;
  let at = HEADER_BYTES;
  const number = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = module[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < module.length) {
    const start = at;
    const id = module[at++];
    const length = number();
    const content = module.subarray(at, at + length);
    const end = at + length;
    let name = names[id] ?? `section ${id}`;
    if (id === CUSTOM) {
      const size = number();
      name = `custom ${module.toString("utf8", at, at + size)}`;
    }
    found.push({ name, content, whole: module.subarray(start, end) });
    at = end;
  }
  return found;
}

/** The module without the functions' names. What a panic says, file and line, does not need them. */
export function withoutNames(module) {
  const kept = sections(module).filter(({ name }) => name !== "custom name");
  return Buffer.concat([module.subarray(0, HEADER_BYTES), ...kept.map(({ whole }) => whole)]);
}
