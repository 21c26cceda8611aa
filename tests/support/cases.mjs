// A table of test cases, whose columns keep their types.

/**
 * Rows of a table as they are given. As an argument, a row such as `["a", 1]` is a tuple for the type checks; as an
 * element of a bare array it would be a list of whatever its columns are.
 * @template {[unknown, ...unknown[]][]} Rows
 * @param {Rows} rows
 */
export const cases = (rows) => rows;
