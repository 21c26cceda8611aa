// A line over time, drawn as an image.
import { html, svg } from "lit-html";

const WIDTH = 600;
const HEIGHT = 120;

/**
 * @param {{ title: string, azure?: string, points: [time: number, value: number][], from: number, to: number, inWords: (value: number) => string }} chart
 */
export function lineChart({ title, azure, points, from, to, inWords }) {
  const values = points.map(([, value]) => value);
  const most = Math.max(1, ...values);
  const x = (time) => ((time - from) / Math.max(1, to - from)) * WIDTH;
  const y = (value) => HEIGHT - 4 - (value / most) * (HEIGHT - 8);
  const line = points.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const now = values.at(-1);
  const words = now === undefined ? "no value yet" : `${inWords(now)} now, at most ${inWords(Math.max(...values))}`;
  return html`<figure class="chart">
    <figcaption><b>${title}</b> ${azure ? html`<code>${azure}</code>` : ""} <span class="note">${words}</span></figcaption>
    <svg role="img" aria-label="${title}: ${words}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">
      ${svg`<line class="axis" x1="0" x2=${WIDTH} y1=${HEIGHT - 4} y2=${HEIGHT - 4} /><polyline class="line" points=${line} />`}
    </svg>
  </figure>`;
}
