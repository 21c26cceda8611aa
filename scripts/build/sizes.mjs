// How large the downloads are, what makes them up, and how large they may be.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "../paths.mjs";
import { Problem, say } from "../terminal.mjs";
import { pageFiles } from "./client.mjs";
import { LIMIT, packedSize } from "./package.mjs";
import { sections } from "./wasm.mjs";
import { worker } from "./worker.mjs";
import { appFiles } from "./www.mjs";

/**
 * Bytes after gzip, for everything that is loaded together. Of the worker's, group streams and states take 15 KB, and
 * what operators see, watch and sign in with 20 KB (0.3 KB of it what Azure measures of connections and traffic, 1.3 KB
 * the last hour of it), MQTT 24 KB. The page is all of its pages, with 4 KB for QR codes
 * and 2 KB to speak MQTT, which are loaded when they are first used.
 */
/** @type {Record<string, number>} */
const limits = { worker: 263_000, client: 22_000, page: 60_000 };

/** Smaller sections of a wasm module are not listed. */
const WORTH_A_LINE = 1_000;

/** Prints the sizes and fails above the limits. */
export function reportSizes() {
  const groups = {
    worker: worker.outputs,
    client: pageFiles().map((file) => join(build, "client", file)),
    page: appFiles(),
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
      const large = sections(content).filter(({ content: bytes }) => bytes.length >= WORTH_A_LINE);
      for (const section of large) say(line(section.name, section.content, 4));
    }
    if (total > limits[name])
      tooLarge.push(`The ${name} is ${kb(total).trim()} gzipped, and may be ${limits[name] / 1000} KB.`);
  }
  const packed = packedSize();
  if (packed !== undefined)
    say(`${"webpubsub-edge".padEnd(32)}               ${kb(packed)} packed    (limit ${LIMIT / 1000} KB packed)`);
  if (packed !== undefined && packed > LIMIT)
    tooLarge.push(`The package webpubsub-edge is ${kb(packed).trim()} packed, and may be ${LIMIT / 1000} KB.`);
  if (tooLarge.length > 0) throw new Problem(tooLarge.join("\n"));
}

/** @param {Buffer} content */
const gzipped = (content) => gzipSync(content, { level: 9 }).length;
/** @param {number} bytes */
const kb = (bytes) => `${(bytes / 1000).toFixed(1).padStart(8)} KB`;
/**
 * @param {string} name
 * @param {Buffer} content
 * @param {number} indent
 */
const line = (name, content, indent) =>
  `${" ".repeat(indent)}${name.padEnd(32 - indent)} ${kb(content.length)}   ${kb(gzipped(content))} gzipped`;
