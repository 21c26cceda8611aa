// How large the downloads are, what makes them up, and how large they may be.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "../paths.mjs";
import { Problem, say } from "../terminal.mjs";
import { pageFiles } from "./client.mjs";
import { worker } from "./worker.mjs";

/** Bytes after gzip, for everything that is loaded together. */
const limits = { worker: 200_000, client: 60_000 };

/** Prints the sizes and fails above the limits. */
export function reportSizes() {
  const groups = {
    worker: worker.outputs,
    client: pageFiles().map((file) => join(build, "client", file)),
  };
  const tooLarge = [];
  for (const [name, files] of Object.entries(groups)) {
    if (files.length === 0) continue;
    const contents = files.map((file) => readFileSync(file));
    const total = contents.reduce((sum, content) => sum + gzipped(content), 0);
    const raw = contents.reduce((sum, content) => sum + content.length, 0);
    say(`${name.padEnd(32)} ${kb(raw)}   ${kb(total)} gzipped   (limit ${limits[name] / 1000} KB gzipped)`);
    for (const [index, content] of contents.entries()) {
      say(line(basename(files[index]), content, 2));
      for (const [section, bytes] of wasmSections(content)) say(line(section, bytes, 4));
    }
    if (total > limits[name]) tooLarge.push(`The ${name} is ${kb(total).trim()} gzipped, and may be ${limits[name] / 1000} KB.`);
  }
  if (tooLarge.length > 0) throw new Problem(tooLarge.join("\n"));
}

const gzipped = (content) => gzipSync(content, { level: 9 }).length;
const kb = (bytes) => `${(bytes / 1000).toFixed(1).padStart(8)} KB`;
const line = (name, content, indent) => `${" ".repeat(indent)}${name.padEnd(32 - indent)} ${kb(content.length)}   ${kb(gzipped(content))} gzipped`;

const sectionNames = ["custom", "type", "import", "function", "table", "memory", "global", "export", "element", "start", "code", "data", "data count"];

/** The larger sections of a wasm module; nothing for other files. */
export function wasmSections(content) {
  const sections = [];
  if (content.readUInt32LE(0) !== 0x6d736100) return sections;
  let at = 8;
  const leb = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = content[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < content.length) {
    const id = content[at++];
    const length = leb();
    const end = at + length;
    let name = sectionNames[id] ?? `section ${id}`;
    if (id === 0) {
      const size = leb();
      name = `${content.toString("utf8", at, at + size)} (custom)`;
    }
    sections.push([name, content.subarray(at, end)]);
    at = end;
  }
  return sections.filter(([, bytes]) => bytes.length >= 1000).sort(([, a], [, b]) => b.length - a.length);
}
