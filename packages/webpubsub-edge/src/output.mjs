// What commands print: tables for people, one line of JSON for programs.
import { say } from "../../../scripts/terminal.mjs";

/**
 * The flag that all have that print what they were asked for.
 * @satisfies {import("../../../scripts/command.mjs").Flags}
 */
export const jsonFlag = { json: { type: "boolean", about: "Prints JSON, for programs." } };

/**
 * Prints a value as one line of JSON.
 * @param {unknown} value
 */
export const sayJson = (value) => say(JSON.stringify(value));

/**
 * Prints rows of texts in columns, the first row as their heads.
 * @param {(string | number | null | undefined)[][]} rows
 */
export function sayTable(rows) {
  const texts = rows.map((row) => row.map((cell) => visible(String(cell ?? "-"))));
  const widths = texts[0].map((_, column) => Math.max(...texts.map((row) => row[column].length)));
  for (const row of texts)
    say(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
}

/**
 * A text that others wrote, without what a terminal would take for a command.
 * @param {string} text
 */
export const visible = (text) =>
  text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);

/**
 * A time of day, with its date where it is not today's. `time` is in milliseconds.
 * @param {number} time
 */
export function clock(time) {
  const text = new Date(time).toISOString();
  const today = new Date().toISOString().slice(0, 10);
  return text.startsWith(today) ? text.slice(11, 23) : text.slice(0, 23).replace("T", " ");
}
