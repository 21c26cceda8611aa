// Whether what the code cites, and what documents link, is there.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { filesUnder } from "../build/inputs.mjs";
import { at, root } from "../paths.mjs";
import { Problem } from "../terminal.mjs";

/** Where the rules of the protocols are written. */
const SPEC = "docs/spec/";

const CODE = /\.(?:rs|[cm]?[jt]s|tsx|json|py)$/;
const FOLDERS = ["bench", "crates", "docs", "examples", "findings", "scripts", "tests", "worker", "www"];

/** The tests of this check name sections that are not there. */
const EXEMPT = "tests/scripts/documents.test.mjs";

/**
 * A file of the tree, by its path in it.
 * @typedef {{ path: string, text: string }} TreeFile
 */

/**
 * What of the tree is written by hand.
 * @returns {TreeFile[]}
 */
export function readTree() {
  const documents = filesUnder(root).filter((file) => dirname(file) === root && file.endsWith(".md"));
  const files = [...documents, ...filesUnder(...FOLDERS.map((folder) => at(folder)))];
  const kept = files
    .map((file) => relative(root, file))
    .filter((path) => !/^examples\/.*\/built\//.test(path))
    .filter((path) => /\.md$/.test(path) || (CODE.test(path) && path !== EXEMPT));
  return kept.map((path) => ({ path, text: readFileSync(at(path), "utf8") }));
}

/**
 * The anchors of a Markdown text's headings, as GitHub makes them: the second `a` is `a-1`.
 * @param {string} markdown
 */
export function anchorsOf(markdown) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  const headings = withoutFences(markdown)
    .split("\n")
    .flatMap((line) => /^#{1,6} +(.*?)\s*#*$/.exec(line)?.[1] ?? []);
  return headings.map((heading) => {
    const slug = slugOf(heading);
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** @param {string} heading */
function slugOf(heading) {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
  return text.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
}

/** @param {string} markdown */
const withoutFences = (markdown) => markdown.replace(/^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1\2[^\n]*$/gm, "");

/**
 * A `Source:` that begins a line of a comment, and what it cites; the second is undefined where that is no section.
 * @param {string} text
 */
const sourcesIn = (text) => [...text.matchAll(/^[ \t]*(?:\/\/[/!]?|\*|#) Source: (docs\/spec\/[a-z]+\.md#[\w-]+)?/gm)];

/** @param {string} text */
const citationsIn = (text) => [...text.matchAll(/docs\/spec\/([a-z]+\.md)#([\w-]+)/g)].map(([citation]) => citation);

/**
 * @param {string} text
 * @param {number} index
 */
const lineOf = (text, index) => text.slice(0, index).split("\n").length;

/**
 * What is wrong with the sources that a tree's code gives, and which sections of the specification nothing cites.
 * @param {TreeFile[]} tree
 */
export function judgeSources(tree) {
  const sections = tree
    .filter(({ path }) => path.startsWith(SPEC) && path !== `${SPEC}README.md`)
    .flatMap(({ path, text }) => anchorsOf(text).map((anchor) => `${path}#${anchor}`));
  const there = new Set(sections);
  /** @type {Set<string>} */
  const cited = new Set();
  const wrong = tree
    .filter(({ path }) => CODE.test(path))
    .flatMap(({ path, text }) => {
      const vague = sourcesIn(text).filter(([, citation]) => !citation);
      const citations = citationsIn(text);
      citations.forEach((citation) => cited.add(citation));
      return [
        ...vague.map(({ index }) => `${path}:${lineOf(text, index)}: a Source: names no section of ${SPEC}`),
        ...citations.filter((citation) => !there.has(citation)).map((citation) => `${path}: there is no ${citation}`),
      ];
    });
  // A page's own title stands for the whole of it.
  const uncited = sections.filter((section) => !cited.has(section) && !isTitle(section, sections));
  return { wrong, uncited };
}

/**
 * @param {string} section
 * @param {string[]} sections
 */
const isTitle = (section, sections) =>
  sections.find((other) => other.split("#")[0] === section.split("#")[0]) === section;

/** Each `Source:` names a section of `docs/spec`, and each section is cited. */
export function checkSources() {
  const { wrong, uncited } = judgeSources(readTree());
  const all = [...wrong, ...uncited.map((section) => `${section}: nothing cites this section`)];
  if (all.length > 0) throw new Problem(all.join("\n"));
}

/**
 * Whether a path of the tree is there.
 * @param {string} path
 */
const isThere = (path) => existsSync(at(path));

/**
 * The links of a tree's documents that lead nowhere. `exists` says whether a path is there.
 * @param {TreeFile[]} tree
 */
export function brokenLinks(tree, exists = isThere) {
  const pages = tree.filter(({ path }) => path.endsWith(".md"));
  const anchors = new Map(pages.map(({ path, text }) => [path, new Set(anchorsOf(text))]));
  return pages.flatMap(({ path, text }) => {
    return linksIn(text)
      .filter((link) => !leadsSomewhere(path, link, anchors, exists))
      .map((link) => `${path}: ${link} leads nowhere`);
  });
}

/**
 * Links of a Markdown text that are neither addresses nor code.
 * @param {string} text
 */
function linksIn(text) {
  const prose = withoutFences(text).replace(/(`+)[\s\S]*?\1/g, (code) => code.replace(/[()[\]]/g, " "));
  const inline = [...prose.matchAll(/\]\(<?([^()\s>]+)>?(?: "[^"]*")?\)/g)].map(([, link]) => link);
  const defined = [...prose.matchAll(/^\[[^\]]+\]: +(\S+)/gm)].map(([, link]) => link);
  return [...inline, ...defined].filter((link) => !/^[a-z][a-z+.-]*:/.test(link) && !link.startsWith("//"));
}

/**
 * @param {string} from
 * @param {string} link
 * @param {Map<string, Set<string>>} anchors
 * @param {typeof isThere} exists
 */
function leadsSomewhere(from, link, anchors, exists) {
  const [file, anchor] = link.split("#");
  const path = file === "" ? from : join(dirname(from), decodeURIComponent(file)).replace(/\/$/, "");
  if (!exists(path)) return false;
  return !anchor || (anchors.get(path)?.has(anchor) ?? true);
}

/**
 * Paths that a tree's documents name in code, such as `worker/src/lib.rs`, and that are not there.
 * @param {TreeFile[]} tree
 */
export function missingPaths(tree, exists = isThere) {
  const documents = tree.filter(({ path }) => path.endsWith(".md") && path !== "CHANGELOG.md");
  return documents.flatMap(({ path, text }) => {
    const named = [...text.matchAll(/`((?:bench|crates|docs|examples|findings|scripts|tests|worker|www)\/[\w./-]+)`/g)];
    return named.filter(([, name]) => !exists(name)).map(([, name]) => `${path}: there is no ${name}`);
  });
}

/**
 * Names that a tree's documents say are in a file or folder, such as `Shard::handle` in one, and that it does not define.
 * @param {TreeFile[]} tree
 */
export function missingNames(tree) {
  const textAt = (/** @type {string} */ path) =>
    tree.flatMap((file) => (file.path === path || file.path.startsWith(`${path}/`) ? [file.text] : [])).join("\n");
  const documents = tree.filter(({ path }) => path.endsWith(".md") && path !== "CHANGELOG.md");
  return documents.flatMap(({ path, text }) => {
    const found = [
      ...text.matchAll(/((?:`[\w:]+`(?:,| and) )*`[\w:]+`) in `((?:crates|scripts|worker|www)\/[\w./-]+)`/g),
    ];
    return found.flatMap(([, names, place]) => {
      const code = textAt(place);
      return [...names.matchAll(/`([\w:]+)`/g)]
        .map(([, name]) => name)
        .filter((name) => code !== "" && !defines(code, name.split("::").at(-1)))
        .map((name) => `${path}: there is no ${name} in ${place}`);
    });
  });
}

/**
 * @param {string} code
 * @param {string | undefined} name
 */
const defines = (code, name) =>
  new RegExp(`\\b(?:class|const|enum|fn|function|mod|static|struct|trait|type) ${name}\\b`).test(code);

/** Links between the documents of the repository resolve, and the paths and names that they give are there. */
export function checkLinks() {
  const tree = readTree();
  const broken = [...brokenLinks(tree), ...missingPaths(tree), ...missingNames(tree)];
  if (broken.length > 0) throw new Problem(broken.join("\n"));
}
