// Where a long `cargo` run is, from the progress bar that it draws.

/**
 * Makes an `onOutput` for `run` that reports to `at` how many crates are done, and which is next.
 * @param {import("../terminal.mjs").Progress} at
 */
export function cargoProgress(at) {
  return (/** @type {string} */ text) => {
    const [, done, all, crate] = [...text.matchAll(/(\d+)\/(\d+): ([^\s,]+)/g)].pop() ?? [];
    if (done) at(`${done} of ${all} crates, ${crate.replace(/\(.*/, "")}`);
  };
}

/** Has cargo draw its bar although only this program reads it. */
cargoProgress.env = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "100" };
