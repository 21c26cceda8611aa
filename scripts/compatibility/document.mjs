// COMPATIBILITY.md as text.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { at } from "../paths.mjs";

/**
 * @import { Row, ShownBy } from "../../tests/compatibility/row.mjs"
 */

/**
 * A part of the service, the sections of the specification that it is about, and its features.
 * @typedef {{ title: string, sources?: string[], rows: Row[] }} Area
 *
 * A package of Microsoft's that is tested: the name that it is installed by where that is another, and its suite.
 * @typedef {{ name: string, alias?: string, suite: string }} TestedPackage
 */

const STATES = {
  "✅": "as the service does it",
  "⚠": "with the difference that is described",
  "❌": "not there",
  "–": "for clients to keep",
};

const HEAD = `# Compatibility

What Azure Web PubSub has, what of it is here, and the tests that show it. \`npm test\` runs them, all that concern a hub with one Durable Object and again with four, most once more while the hub is given one after the other, and fails if one that is named here is missing or did not pass. They run on [the native server](docs/operations.md#one-machine) as well, where that page says what differs.

This file is made by \`npm run compatibility\` from the rows in \`tests/compatibility\`. Where Microsoft's documents, emulator and SDKs disagree, a row says what is done here.
`;

/**
 * The version of each package, from the files that pin them.
 * @template {Pick<TestedPackage, "name" | "alias">} P
 * @param {P[]} packages
 */
export function versionsOf(packages) {
  const npm = JSON.parse(readFileSync(at("package.json"), "utf8")).devDependencies;
  const pip = readFileSync(at("tests", "requirements.txt"), "utf8");
  return packages.map(({ name, alias = name, ...more }) => {
    const [, version] = new RegExp(`^${name}==(\\S+)$`, "m").exec(pip) ?? /([\d.]+)$/.exec(npm[alias] ?? "") ?? [];
    if (!version) throw new Error(`No version of ${alias} is pinned.`);
    return { name, version, ...more };
  });
}

/**
 * @param {Area[]} areas
 * @param {(TestedPackage & { version: string })[]} packages
 */
export function documentOf(areas, packages) {
  const count = (/** @type {string} */ state) =>
    areas.flatMap(({ rows }) => rows).filter((row) => row.state === state).length;
  const states = Object.entries(STATES).map(([state, meaning]) => `| ${state} | ${meaning} | ${count(state)} |`);
  return [
    HEAD,
    table(["state", "meaning", "features"], states),
    "## SDKs, unmodified\n",
    table(
      ["package", "version", "suite"],
      packages.map(({ name, version, suite }) => `| \`${name}\` | ${version} | [${basename(suite)}](${suite}) |`),
    ),
    ...areas.map((area) => `${headingOf(area)}\n${table(["feature", "state", "tests"], area.rows.map(rowOf))}`),
  ].join("\n");
}

/**
 * @param {string[]} heads
 * @param {string[]} rows
 */
const table = (heads, rows) => `| ${heads.join(" | ")} |\n|${" --- |".repeat(heads.length)}\n${rows.join("\n")}\n`;

/**
 * An area's title, which links the section of the specification that it is about, and a line for further ones.
 * @param {Area} area
 */
function headingOf({ title, sources: [first, ...more] = [] }) {
  const link = (/** @type {string} */ source) => `[${source.replace(/^.*\//, "")}](${source})`;
  const heading = first ? `## [${title}](${first})\n` : `## ${title}\n`;
  return more.length > 0 ? `${heading}\nAlso: ${more.map(link).join(", ")}.\n` : heading;
}

/** @param {Row} row */
function rowOf({ feature, state, note, tests }) {
  return `| ${[note ? `${feature}<br>*${note}*` : feature, state, testsOf(tests)].map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/**
 * The end-to-end tests by folder and name, the others by name.
 * @param {string} file
 */
const labelOf = (file) =>
  (file.startsWith("tests/e2e/") ? file.slice("tests/e2e/".length) : basename(file)).replace(/(\.test)?\.\w+$/, "");

/**
 * Each file once, with its tests.
 * @param {ShownBy[]} tests
 */
function testsOf(tests) {
  const files = [...new Set(tests.map(({ file }) => file))];
  return files
    .map(
      (file) =>
        `[${labelOf(file)}](${file}): ${tests
          .filter((test) => test.file === file)
          .map(nameOf)
          .join("; ")}`,
    )
    .join("<br>");
}

/** @param {ShownBy} test */
function nameOf({ file, name, cases }) {
  const words = file.endsWith(".rs") ? name.replaceAll("_", " ") : name.replace(/ ?\(?\$\{[^}]*\}\)?/g, " …");
  return cases.length > 0 ? `${words} (${cases.join("; ")})` : words;
}
