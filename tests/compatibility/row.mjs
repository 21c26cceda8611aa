// The words in which rows are written.

/**
 * A test that shows a feature: its file, the suite around it, its name as it stands in the source, and cases in its table
 * or its vectors.
 * @typedef {{ file: string, suite?: string, name: string, cases: string[] }} ShownBy
 *
 * What COMPATIBILITY.md says of a feature.
 * @typedef {{ state: "✅" | "⚠" | "❌" | "–", feature: string, note?: string, tests: ShownBy[] }} Row
 */

/**
 * The tests of one file: called with a test's name, and its cases.
 * @param {string} file
 * @param {string} [suite]
 */
export const testsOf =
  (file, suite) =>
  /**
   * @param {string} name
   * @param {...string} cases
   * @returns {ShownBy}
   */
  (name, ...cases) => ({ file, suite, name, cases });

/** @param {string} name */
export const e2e = (name) => testsOf(`tests/e2e/${name}.test.mjs`);
/**
 * @param {string} crate
 * @param {string} file
 */
export const native = (crate, file) => testsOf(`crates/webpubsub-${crate}/${file}.rs`);

/**
 * A feature that is here as the service has it.
 * @param {string} feature
 * @param {...ShownBy} tests
 */
export const row = (feature, ...tests) => make("✅", feature, undefined, tests);

/**
 * A feature that is here with a difference.
 * @param {string} feature
 * @param {string} difference
 * @param {...ShownBy} tests
 */
export const differs = (feature, difference, ...tests) => make("⚠", feature, difference, tests);

/**
 * A feature that is not here, and what happens instead.
 * @param {string} feature
 * @param {string} reason
 * @param {...ShownBy} tests
 */
export const missing = (feature, reason, ...tests) => make("❌", feature, reason, tests);

/**
 * What clients have to keep, and what happens if they do not.
 * @param {string} feature
 * @param {string} reason
 * @param {...ShownBy} tests
 */
export const clients = (feature, reason, ...tests) => make("–", feature, reason, tests);

/**
 * @param {Row["state"]} state
 * @param {string} feature
 * @param {string | undefined} note
 * @param {ShownBy[]} tests
 * @returns {Row}
 */
function make(state, feature, note, tests) {
  if ((state === "✅" || state === "⚠") && tests.length === 0) throw new Error(`No test is named for: ${feature}`);
  return { state, feature, note, tests };
}
