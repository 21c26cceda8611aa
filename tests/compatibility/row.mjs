// The words in which rows are written.

/** The tests of one file: called with a test's name as it stands in the source, and cases in its table or its vectors. */
export const testsOf =
  (file, suite) =>
  (name, ...cases) => ({ file, suite, name, cases });

export const e2e = (name) => testsOf(`tests/e2e/${name}.test.mjs`);
export const native = (crate, file) => testsOf(`crates/webpubsub-${crate}/${file}.rs`);

/** A feature that is here as the service has it. */
export const row = (feature, ...tests) => make("✅", feature, undefined, tests);

/** A feature that is here with a difference. */
export const differs = (feature, difference, ...tests) => make("⚠", feature, difference, tests);

/** A feature that is not here, and what happens instead. */
export const missing = (feature, reason, ...tests) => make("❌", feature, reason, tests);

/** What clients have to keep, and what happens if they do not. */
export const clients = (feature, reason, ...tests) => make("–", feature, reason, tests);

function make(state, feature, note, tests) {
  if ((state === "✅" || state === "⚠") && tests.length === 0) throw new Error(`No test is named for: ${feature}`);
  return { state, feature, note, tests };
}
