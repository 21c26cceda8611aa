// What was thrown: it can be anything, and mostly is an error of Node's, which has a code.

/**
 * The code of an error of Node's, such as `ENOENT`; undefined where what was thrown has none.
 * @param {unknown} error
 */
export const codeOf = (error) =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/**
 * What an error says.
 * @param {unknown} error
 */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));
