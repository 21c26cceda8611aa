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

const CONNECTIONS = "webpubsub_connections";
const QUOTA = "webpubsub_connection_quota";

/** What Azure calls the metrics that it has, too. */
const AZURE = {
  [CONNECTIONS]: "TotalConnectionCount",
  webpubsub_connections_opened_total: "ConnectionOpenCount",
  webpubsub_connections_closed_total: "ConnectionCloseCount",
  webpubsub_received_bytes_total: "InboundTraffic",
  webpubsub_sent_bytes_total: "OutboundTraffic",
};
const UTILIZATION = "ConnectionQuotaUtilization";

const count = (value) => value.toLocaleString(undefined, { maximumFractionDigits: 2 });

const size = (value) => sizeInWords(Math.round(value));
const percent = (value) => `${count(value)} %`;

/**
 * The lines that are drawn; of a counter, how fast it grows in so many seconds (`per`), and of a metric that is a part
 * of another (`of`), how much of it.
 *
 * @type {{ name: string, title: string, azure?: string, per?: number, of?: string, inWords: (value: number) => string }[]}
 */
const CHARTS = [
  { name: CONNECTIONS, title: "Connections", inWords: count },
  { name: CONNECTIONS, title: "Of the quota", azure: UTILIZATION, of: QUOTA, inWords: percent },
  { name: "webpubsub_connections_opened_total", title: "Opened a minute", per: 60, inWords: count },
  { name: "webpubsub_connections_closed_total", title: "Closed a minute", per: 60, inWords: count },
  { name: "webpubsub_received_bytes_total", title: "Received a second", per: 1, inWords: size },
  { name: "webpubsub_sent_bytes_total", title: "Sent a second", per: 1, inWords: size },
  { name: "webpubsub_event_calls_total", title: "Calls to event handlers a second", per: 1, inWords: count },
  { name: "webpubsub_event_call_failures_total", title: "Failed calls a second", per: 1, inWords: count },
  { name: "webpubsub_unread_bytes", title: "Unread bytes", inWords: size },
  { name: "webpubsub_unacknowledged_messages", title: "Unacknowledged messages", inWords: count },
  { name: "webpubsub_outbox_rows", title: "Durable events that wait", inWords: count },
];

/** Columns of the table of shards. */
const COLUMNS = [
  ["webpubsub_connections", "Connections"],
  ["webpubsub_detached_connections", "Detached"],
  ["webpubsub_connections_opened_total", "Opened"],
  ["webpubsub_connections_closed_total", "Closed"],
  ["webpubsub_received_bytes_total", "Received bytes"],
  ["webpubsub_sent_bytes_total", "Sent bytes"],
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
        <div class="charts">
          ${CHARTS.filter(({ of }) => !of || this.#sum(latest, of) > 0).map((chart) => this.#chart(chart))}
        </div>
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

  /** What a metric came to at a time, over the shards that are looked at. */
  #sum({ metrics }, name) {
    return sum(
      metrics.find((metric) => metric.name === name),
      this.#matches,
    );
  }

  /** @param {(typeof CHARTS)[number]} chart */
  #chart({ name, title, azure = AZURE[name], per, of, inWords }) {
    const values = this.#history.map((past) => {
      const value = this.#sum(past, name);
      return [past.time, of ? (100 * value) / (this.#sum(past, of) || Infinity) : value];
    });
    const points = per ? rates(values, per) : values;
    const times = this.#history.map(({ time }) => time);
    const to = Math.max(...times);
    const from = Math.min(...times, to - 60_000);
    return lineChart({ title, azure, points, from, to, inWords });
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
                  <td>${metric.name === QUOTA ? this.#utilization() : (AZURE[metric.name] ?? "")}</td>
                  <td class="number">${count(sum(metric, this.#matches))}</td>
                  <td class="words">${metric.help}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`;
  }

  /** Azure's metric of the quota, with its value where there is one. */
  #utilization() {
    const [latest] = this.#history.slice(-1);
    const quota = this.#sum(latest, QUOTA);
    return quota > 0 ? `${UTILIZATION}: ${percent((100 * this.#sum(latest, CONNECTIONS)) / quota)}` : UTILIZATION;
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

/** By how much a counter grew in `per` seconds, from each time to the next. It begins again at 0 when a shard wakes. */
const rates = (values, per) =>
  values.slice(1).map(([time, value], index) => {
    const [before, last] = values[index];
    return [time, (per * Math.max(0, value - last)) / ((time - before) / 1000)];
  });
