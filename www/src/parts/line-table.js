// Lines over time as a table, for those who read numbers.
import { html } from "lit-html";
import { table } from "./table.js";
import { clock } from "./words.js";

const MINUTE_MS = 60_000;

/**
 * A row for each minute, newest first, with what each line came to last in it.
 *
 * @param {string} title
 * @param {{ title: string, points: [time: number, value: number][], inWords: (value: number) => string }[]} lines
 */
export function lineTable(title, lines) {
  const byMinute = lines.map(({ points }) => new Map(points.map(([time, value]) => [minuteOf(time), value])));
  const minutes = [...new Set(byMinute.flatMap((values) => [...values.keys()]))].sort((a, b) => b - a);
  const cell = ({ inWords }, value) => (value === undefined ? "" : inWords(value));
  return table(
    title,
    ["Until", ...lines.map((line) => `#${line.title}`)],
    minutes.map(
      (minute) =>
        html`<tr>
          <th scope="row">${clock(minute * MINUTE_MS)}</th>
          ${lines.map((line, index) => html`<td class="number">${cell(line, byMinute[index].get(minute))}</td>`)}
        </tr>`,
    ),
  );
}

/** The number of the minute that a time ends or is in. */
const minuteOf = (time) => Math.ceil(time / MINUTE_MS);
