// Metrics: lines over the last hour while the page is open, tables, and where Prometheus reads them.
import { html } from "lit-html";
import { Attempt } from "../parts/attempt.js";
import { code } from "../parts/code.js";
import { lineChart } from "../parts/line-chart.js";
import { sizeInWords } from "../parts/words.js";
import { every } from "../service/every.js";
import { parseMetrics, sum } from "../service/metrics.js";

const HOUR_MS = 3_600_000;
const EVERY_MS = 15_000;
const PATH = "/management/metrics";

/** What Azure calls the metrics that it has, too. */
const AZURE = { webpubsub_connections: "TotalConnectionCount" };

const count = (value) => value.toLocaleString(undefined, { maximumFractionDigits: 2 });

/**
 * The lines that are drawn; of a counter, how fast it grows.
 *
 * @type {{ name: string, title: string, isRate?: boolean, inWords: (value: number) => string }[]}
 */
const CHARTS = [
  { name: "webpubsub_connections", title: "Connections", inWords: count },
  { name: "webpubsub_event_calls_total", title: "Calls to event handlers a second", isRate: true, inWords: count },
  { name: "webpubsub_event_call_failures_total", title: "Failed calls a second", isRate: true, inWords: count },
  { name: "webpubsub_unread_bytes", title: "Unread bytes", inWords: sizeInWords },
  { name: "webpubsub_unacknowledged_messages", title: "Unacknowledged messages", inWords: count },
  { name: "webpubsub_outbox_rows", title: "Durable events that wait", inWords: count },
];

/** Columns of the table of shards. */
const COLUMNS = [
  ["webpubsub_connections", "Connections"],
  ["webpubsub_detached_connections", "Detached"],
  ["webpubsub_unread_bytes", "Unread bytes"],
  ["webpubsub_log_rows", "Log rows"],
  ["webpubsub_outbox_rows", "Outbox rows"],
  ["webpubsub_event_calls_total", "Event calls"],
];

export class Metrics {
  #app;
  /** The last hour: when it was asked, and what was answered. @type {{ time: number, metrics: import("../service/metrics.js").Metric[] }[]} */
  #history = [];
  #hub = "";
  #stop;
  #asking;

  constructor(app) {
    this.#app = app;
    this.#asking = new Attempt(app.update);
  }

  enter() {
    this.leave();
    if (this.#app.access.isSignedIn) this.#stop = every(EVERY_MS, () => this.#ask());
  }

  leave() {
    this.#stop?.();
    this.#stop = undefined;
  }

  async #ask() {
    await this.#asking.run(async () => {
      const { text } = await this.#app.access.request("GET", PATH);
      const time = Date.now();
      this.#history = [
        ...this.#history.filter((past) => past.time > time - HOUR_MS),
        { time, metrics: parseMetrics(text) },
      ];
    });
  }

  render() {
    const latest = this.#history.at(-1);
    if (!latest) return html`${this.#asking.render()}<p class="note">…</p>`;
    const hubs = [...new Set(latest.metrics.flatMap(({ samples }) => samples.map(({ labels }) => labels.hub)))];
    return html`
      ${this.#asking.render()}
      <section class="card" aria-labelledby="lines-title">
        <div class="card-head">
          <h2 id="lines-title">The last hour, while this page is open</h2>
          <label class="visually-hidden" for="metrics-hub">Hub</label>
          <select id="metrics-hub" class="small" @change=${({ target }) => this.#choose(target.value)}>
            <option value="" .selected=${this.#hub === ""}>All hubs</option>
            ${hubs.map((hub) => html`<option value=${hub} .selected=${hub === this.#hub}>${hub}</option>`)}
          </select>
        </div>
        <div class="charts">${CHARTS.map((chart) => this.#chart(chart))}</div>
      </section>
      ${this.#table(latest.metrics)} ${this.#shards(latest.metrics)}
      <section class="card" aria-labelledby="prometheus-title">
        <h2 id="prometheus-title">For Prometheus</h2>
        ${code(`${location.origin}${PATH}`, "the address of the metrics")}
        <p class="note">
          Each request carries a token for this path. Asking wakes hubs that sleep: once a minute is often.
        </p>
      </section>
    `;
  }

  #choose(hub) {
    this.#hub = hub;
    this.#app.update();
  }

  #matches = ({ labels }) => this.#hub === "" || labels.hub === this.#hub;

  /** @param {(typeof CHARTS)[number]} chart */
  #chart({ name, title, isRate, inWords }) {
    const values = this.#history.map(({ time, metrics }) => [
      time,
      sum(
        metrics.find((metric) => metric.name === name),
        this.#matches,
      ),
    ]);
    const points = isRate ? rates(values) : values;
    const to = this.#history.at(-1).time;
    const from = Math.min(this.#history[0].time, to - 60_000);
    return lineChart({ title, points, from, to, inWords });
  }

  #table(metrics) {
    return html`<section class="card" aria-labelledby="table-title">
      <h2 id="table-title">All metrics</h2>
      <div class="table" tabindex="0" role="group" aria-labelledby="table-title">
        <table>
          <thead>
            <tr>
              <th scope="col">Metric</th>
              <th scope="col">Azure's name</th>
              <th scope="col" class="number">Now</th>
              <th scope="col">What it is</th>
            </tr>
          </thead>
          <tbody>
            ${metrics.map(
              (metric) =>
                html`<tr>
                  <th scope="row"><code>${metric.name}</code></th>
                  <td>${AZURE[metric.name] ?? ""}</td>
                  <td class="number">${count(sum(metric, this.#matches))}</td>
                  <td>${metric.help}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`;
  }

  #shards(metrics) {
    const of = new Map(metrics.map((metric) => [metric.name, metric]));
    const rows = (of.get(COLUMNS[0][0])?.samples ?? []).filter(this.#matches);
    const value = (name, { hub, shard }) =>
      sum(of.get(name), ({ labels }) => labels.hub === hub && labels.shard === shard);
    return html`<section class="card" aria-labelledby="shards-title">
      <h2 id="shards-title">By shard</h2>
      <div class="table" tabindex="0" role="group" aria-labelledby="shards-title">
        <table>
          <thead>
            <tr>
              <th scope="col">Hub</th>
              <th scope="col" class="number">Shard</th>
              ${COLUMNS.map(([, words]) => html`<th scope="col" class="number">${words}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              ({ labels }) =>
                html`<tr>
                  <th scope="row">${labels.hub}</th>
                  <td class="number">${labels.shard}</td>
                  ${COLUMNS.map(([name]) => html`<td class="number">${count(value(name, labels))}</td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`;
  }
}

/** How fast a counter grew from each time to the next. It begins again at 0 when a shard wakes. */
const rates = (values) =>
  values.slice(1).map(([time, value], index) => {
    const [before, last] = values[index];
    return [time, Math.max(0, value - last) / ((time - before) / 1000)];
  });
