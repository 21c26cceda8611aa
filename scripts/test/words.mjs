// Whether retired words, as `docs/glossary.md` lists them, are back, and whether comments are whole.
//
// What was there when a word was retired is counted in `words.json`, folder by folder: lower a number when some are gone.
// A folder that is not listed has none.
import { readFileSync } from "node:fs";
import { at } from "../paths.mjs";
import { Problem } from "../terminal.mjs";
import { readTree } from "./documents.mjs";

/** @import { TreeFile } from "./documents.mjs" */

const GLOSSARY = "docs/glossary.md";

/**
 * Where a retired word has its reason. Without `words`, all of a file.
 * @type {{ files: RegExp, words?: string[], reason: string }[]}
 */
const EXCEPTIONS = [
  { files: /^docs\/glossary\.md$|^scripts\/test\/words\.|^tests\/scripts\/words\./, reason: "names them" },
  { files: /^CHANGELOG\.md$/, reason: "says what was" },
  { files: /^COMPATIBILITY\.md$/, reason: "is made from tests/compatibility" },
  { files: /^crates\/webpubsub-store\//, words: ["notice", "told"], reason: "has tables and columns of these names" },
  {
    files: /^(worker\/src\/perform|crates\/webpubsub-server\/src\/shard_host)\.rs$/,
    words: ["telling"],
    reason: "has a text of the log, which operators see",
  },
  {
    files: /^crates\/webpubsub-service\/src\/handler_test\.rs$/,
    words: ["nobody"],
    reason: "has a text of the answer to a test of a handler, which operators see",
  },
];

/** Phrases of common English that have a retired word in them. */
const PHRASES = /\bby hand\b|\bhand-(?:set|written|made)\b|\bat hand\b|\bon the (?:one|other) hand\b/gi;

/**
 * The retired words: in the table under that heading, each in backquotes in the first column.
 * @param {string} glossary
 */
export function retiredWords(glossary) {
  const [, section] = /^## Retired words\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(glossary) ?? [];
  if (!section) throw new Problem(`${GLOSSARY} has no section "Retired words".`);
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split("|")[1].matchAll(/`([^`]+)`/g)].map(([, word]) => word));
}

/**
 * Each retired word of a file with its line, as often as it is there.
 * @param {TreeFile} file
 * @param {string[]} words
 */
export function findRetired({ path, text }, words) {
  const lower = new Set(words.filter((word) => /^[a-z]+$/.test(word)));
  const names = new Set(words.filter((word) => /^[A-Z]/.test(word)));
  const phrases = words.filter((word) => word.includes(" "));
  const excepted = EXCEPTIONS.filter(({ files }) => files.test(path));
  const isExcepted = (/** @type {string} */ word) =>
    excepted.some((exception) => !exception.words || exception.words.includes(word));
  return text.split("\n").flatMap((line, index) => {
    const prose = line.replace(PHRASES, "");
    const code = path.endsWith(".md") ? "" : line.replace(/\/\/.*$|^\s*\*.*$/, "");
    const found = [
      ...partsOf(prose)
        .map((part) => part.toLowerCase())
        .filter((part) => lower.has(part)),
      ...partsOf(code).filter((part) => names.has(part)),
      ...phrases.filter((phrase) => prose.toLowerCase().includes(phrase)),
    ];
    return found.filter((word) => !isExcepted(word)).map((word) => ({ path, line: index + 1, word }));
  });
}

/**
 * The words of a text, of names too: `toldRecord` and `told_record` are two each.
 * @param {string} text
 */
const partsOf = (text) => text.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? [];

/**
 * The folder that a file counts for: a crate, a part of the tests, or a folder at the top.
 * @param {string} path
 */
export function areaOf(path) {
  const parts = path.split("/");
  const depth = ["crates", "tests"].includes(parts[0]) ? 2 : 1;
  return parts.length > depth ? parts.slice(0, depth).join("/") : path;
}

/**
 * What is wrong where an area has more retired words than it may have.
 * @param {ReturnType<typeof findRetired>} found
 * @param {Record<string, number>} allowed
 */
export function judgeWords(found, allowed) {
  const areas = [...new Set(found.map(({ path }) => areaOf(path)))];
  return areas.flatMap((area) => {
    const words = found.filter(({ path }) => areaOf(path) === area);
    const [count, limit] = [words.length, allowed[area] ?? 0];
    if (count <= limit) return [];
    const places = words.map(({ path, line, word }) => `  ${path}:${line}: ${word}`);
    return [
      `${area}: ${count} retired words, and ${limit} are allowed. ${GLOSSARY} says what stands in their place.`,
      ...places.slice(0, 20),
    ];
  });
}

/**
 * Doc comments of Rust that begin in the middle of a sentence, each with its line.
 * @param {TreeFile} file
 */
export function findRunOn({ path, text }) {
  if (!path.endsWith(".rs")) return [];
  const starts = [...text.matchAll(/^(?![ \t]*\/\/\/).*\n[ \t]*\/\/\/ (?!https?:)[a-z]/gm)];
  return starts.map(
    ({ index }) =>
      `${path}:${text.slice(0, index).split("\n").length + 1}: a comment goes on from one item to the next`,
  );
}

/** Retired words are nowhere that they were not before, and comments are whole sentences. */
export function checkWords() {
  const words = retiredWords(readFileSync(at(GLOSSARY), "utf8"));
  const tree = readTree();
  const found = tree.flatMap((file) => findRetired(file, words));
  const allowed = JSON.parse(readFileSync(at("scripts", "test", "words.json"), "utf8"));
  const wrong = [...judgeWords(found, allowed), ...tree.flatMap(findRunOn)];
  if (wrong.length > 0) throw new Problem(wrong.join("\n"));
}
