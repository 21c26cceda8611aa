// What a test looks for and has to find.
import assert from "node:assert/strict";

/**
 * A value that has to be there; `what` names it in the failure.
 * @template T
 * @param {T} value
 * @param {string} what
 * @returns {NonNullable<T>}
 */
export function present(value, what) {
  if (value === undefined || value === null) assert.fail(`${what} is not there`);
  return value;
}

/**
 * What a pattern finds in a text, and its groups. It has to find something.
 * @param {RegExp} pattern
 * @param {string} text
 */
export const matched = (pattern, text) =>
  pattern.exec(text) ?? assert.fail(`${pattern} finds nothing in ${text.slice(0, 300)}`);
