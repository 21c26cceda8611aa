// What commands read: a file, or standard input.
import { readFileSync } from "node:fs";
import { codeOf, messageOf } from "../../../scripts/errors.mjs";
import { UsageProblem } from "../../../scripts/terminal.mjs";

/**
 * The bytes of a file, or those of standard input for `-`.
 * @param {string} file
 */
export function read(file) {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw new UsageProblem(
      `${file === "-" ? "Standard input" : file} cannot be read (${codeOf(error) ?? messageOf(error)}).`,
    );
  }
}

/**
 * The JSON object in a file, or in standard input for `-`.
 * @param {string} file
 */
export function readObject(file) {
  const name = file === "-" ? "Standard input" : file;
  let value;
  try {
    value = JSON.parse(read(file).toString("utf8"));
  } catch (error) {
    if (error instanceof UsageProblem) throw error;
    throw new UsageProblem(`${name} is not JSON: ${messageOf(error)}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new UsageProblem(`${name} must hold a JSON object.`);
  return value;
}
