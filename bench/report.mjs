// What is said at the end: medians, the least and the most, and ratios to the bare object.
import { ratio, summary } from "./statistics.mjs";

const YARDSTICK = "bare";

/** One figure of one contender over all runs: `median (least–most)`, and its ratio to the bare object's. */
function cell({ key, isCount }, own, bare) {
  const numbers = (runs) => (runs ?? []).map((figures) => figures?.[key]);
  const there = numbers(own).filter((number) => number !== undefined);
  if (there.length === 0) return "–";
  if (isCount) return String(Math.max(...there));
  const { median, min, max } = summary(there);
  const beside = own === bare ? undefined : ratio(numbers(own), numbers(bare));
  return `${short(median)} (${short(min)}–${short(max)})${beside === undefined ? "" : ` ${beside.toFixed(2)}×`}`;
}

/** A number with three digits that matter. */
export function short(number) {
  if (number === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(number))));
  return number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A table for each workload: rows are contenders, columns figures. */
export function tables({ results, contenders, workloads }) {
  return workloads.map(({ name, title, figures }) => {
    const its = results[name];
    const rows = contenders.map((contender) => [contender.name, ...figures.map((figure) => cell(figure, its[contender.name], its[YARDSTICK]))]);
    return { name, title, head: ["", ...figures.map(({ title }) => title)], rows };
  });
}

/** The tables as lines for a terminal. */
export function figureLines(measured) {
  return tables(measured).flatMap(({ name, title, head, rows }) => {
    const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
    const line = (row) => `  ${row.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))).join("  ")}`.trimEnd();
    return [`${name}: ${title}`, line(head), ...rows.map(line), ""];
  });
}

/** What could not be measured, a line each. */
export function failureLines(failures) {
  return failures.map(({ workload, contender, run, message }) => `${workload}, ${contender}, run ${run + 1}: ${message}`);
}
