// What is said at the end: medians, the least and the most, ratios to the yardstick, and what was to be reached.
import { YARDSTICK } from "./contenders.mjs";
import { reached } from "./reach.mjs";
import { ratio, summary } from "./statistics.mjs";

/**
 * One figure of one contender over all runs: `median (least–most)`, and its ratio to the yardstick's.
 * @param {Figure} figure
 * @param {(Figures | undefined)[] | undefined} own
 * @param {(Figures | undefined)[] | undefined} yardstick
 */
function cell({ key, isCount }, own, yardstick) {
  const numbers = (/** @type {(Figures | undefined)[] | undefined} */ runs) =>
    (runs ?? []).map((figures) => figures?.[key]);
  const there = numbers(own).filter((number) => number !== undefined);
  const figures = summary(there);
  if (figures === undefined) return "–";
  const { median, min, max } = figures;
  if (isCount) return String(max);
  const beside = own === yardstick ? undefined : ratio(numbers(own), numbers(yardstick));
  return `${short(median)} (${short(min)}–${short(max)})${beside === undefined ? "" : ` ${beside.toFixed(2)} ×`}`;
}

/**
 * A number with the three digits that matter.
 * @param {number} number
 */
export function short(number) {
  if (number === 0) return "0";
  const digits = Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(number)))));
  return number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/**
 * What was measured: the figures of each run by workload and contender, with the titles of all of them.
 * @typedef {Record<string, number>} Figures
 * @typedef {{ key: string, title: string, isCount?: boolean }} Figure
 * @typedef {{ name: string, title: string }} Contender
 * @typedef {{ workload: string, contender: string, run: number, message: string }} Failure
 * @typedef {Record<string, Record<string, (Figures | undefined)[]>>} Results
 * @typedef {{ results: Results, contenders: Contender[], workloads: { name: string, title: string, figures: Figure[], of?: string[] }[] }} Measured
 */

/**
 * A table for each workload: a row for each contender that can do it, a column for each figure.
 * @param {Measured} measured
 */
export function tables({ results, contenders, workloads }) {
  return workloads.map(({ name, title, figures, of }) => {
    const its = results[name];
    const rows = contenders
      .filter((contender) => of?.includes(contender.name) ?? true)
      .map((contender) => [
        contender.name,
        ...figures.map((figure) => cell(figure, its[contender.name], its[YARDSTICK])),
      ]);
    return { name, title, head: ["", ...figures.map((figure) => figure.title)], rows };
  });
}

/**
 * A table of texts: its head, and its rows.
 * @typedef {{ head: string[], rows: string[][] }} Table
 */

/**
 * A table of what was to be reached: all of it, or what was measured.
 * @param {Results} results
 * @param {{ whole: boolean }} options
 */
function reachTable(results, { whole }) {
  const rows = reached(results).filter(({ holds }) => whole || holds !== undefined);
  const verdict = (/** @type {boolean | undefined} */ holds) =>
    holds === undefined ? "not measured" : holds ? "yes" : "**no**";
  return {
    head: ["", "target", "measured", "holds"],
    rows: rows.map(({ what, target, measured, holds }) => [what, target, measured, verdict(holds)]),
  };
}

/**
 * Everything as lines for a terminal.
 * @param {Measured & { absent: Contender[], failures: Failure[] }} measured
 */
export function lines(measured) {
  const reach = reachTable(measured.results, { whole: false });
  return [
    ...tables(measured).flatMap(({ name, title, ...table }) => [`${name}: ${title}`, ...aligned(table), ""]),
    ...(reach.rows.length > 0
      ? [
          "What is to be reached:",
          ...aligned({ ...reach, rows: reach.rows.map((row) => row.map((text) => text.replaceAll("**", ""))) }),
          "",
        ]
      : []),
    ...measured.absent.map(({ name, title }) => `${name} (${title}) is not on this machine.`),
    ...failureLines(measured.failures),
  ];
}

/** @param {Table} table */
function aligned({ head, rows }) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (/** @type {string[]} */ row) =>
    `  ${row.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))).join("  ")}`.trimEnd();
  return [line(head), ...rows.map(line)];
}

/**
 * What could not be measured, a line each.
 * @param {Failure[]} failures
 */
function failureLines(failures) {
  return failures.map(
    ({ workload, contender, run, message }) => `${workload}, ${contender}, run ${run + 1}: ${message}`,
  );
}

/**
 * The command that measured this, as anybody may type it: where another checkout lies is each one's own.
 * @param {string} name
 * @param {{ output?: string, [option: string]: string | boolean | undefined }} options
 */
export function repeatable(name, { output, ...values }) {
  /** @type {Record<string, string>} */
  const places = { baseline: "DIR" };
  const options = Object.entries(values).map(([option, value]) =>
    value === true ? `--${option}` : `--${option} ${places[option] ?? value}`,
  );
  return [name, ...(options.length > 0 ? ["--", ...options] : [])].join(" ");
}

/**
 * Everything as `RESULTS.md`. `machine` is its `cpu`, `cores`, `memory` and `system`; `versions` are names with versions; `command`
 * is what was typed, on a `date`.
 * @param {Measured & {
 *   command: string, date: string, runs: number, quick?: boolean, machine: Record<string, string | number>,
 *   versions: string[][], absent: Contender[], failures: Failure[],
 * }} report
 */
export function markdown({ command, date, runs, quick = false, machine, versions, ...measured }) {
  const table = (/** @type {Table} */ { head, rows }) => [
    `| ${head.join(" | ")} |`,
    `| --- |${" ---: |".repeat(head.length - 1)}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ];
  const { contenders, absent, failures, results } = measured;
  const { cpu, cores, memory, system } = machine;
  return [
    "# Results of the bench",
    "",
    `Written by \`${command}\` on ${date}; the same command repeats it. Each contender was alone on the machine with the load generator, in turns, ${runs === 1 ? "once" : `${runs} times`}.`,
    "",
    ...(quick
      ? ["The run was a quick one: crowds, joins and floods were a quarter of what their titles say.", ""]
      : []),
    "A figure is the median of all runs, with the least and the most in parentheses, and behind it the median of the ratios to the bare object in the same run. CPU is that of the server's processes. A dash stands for what a contender cannot do.",
    "",
    ...table({
      head: ["machine", ""],
      rows: [
        ["processor", `${cpu}, ${cores} cores`],
        ["memory", String(memory)],
        ["system", String(system)],
      ],
    }),
    "",
    ...table({ head: ["version", ""], rows: versions }),
    "",
    ...table({
      head: ["contender", ""],
      rows: [
        ...contenders.map(({ name, title }) => [name, title]),
        ...absent.map(({ name, title }) => [name, `${title}: not on this machine`]),
      ],
    }),
    "",
    "## What is to be reached",
    "",
    ...table(reachTable(results, { whole: true })),
    ...tables(measured).flatMap(({ name, title, ...its }) => [
      "",
      `## ${name}`,
      "",
      `${title[0].toUpperCase()}${title.slice(1)}.`,
      "",
      ...table(its),
    ]),
    ...(failures.length > 0 ? ["", "## What failed", "", ...failureLines(failures).map((line) => `- ${line}`)] : []),
    "",
  ].join("\n");
}
