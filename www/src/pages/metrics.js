// Metrics: lines over the last hour, tables, and where Prometheus reads them.
import { html } from "lit-html";
import { Attempt } from "../parts/attempt.js";
import { code } from "../parts/code.js";
import { lineChart } from "../parts/line-chart.js";
import { lineTable } from "../parts/line-table.js";
import { table } from "../parts/table.js";
import { clock, sizeInWords } from "../parts/words.js";
import { every } from "../service/every.js";
import { lastEnd, minutesOf } from "../service/metric-history.js";
import { parseMetrics, sum } from "../service/metrics.js";

const MINUTE_MS = 60_000;
const SECONDS_IN_MINUTE = 60;
const HOUR_MS = 60 * MINUTE_MS;
const EVERY_MS = 15_000;
const PATH = "/management/metrics";
const HISTORY = "/management/metrics/history";

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
  { name: CONNECTIONS, title: "Quota used", azure: UTILIZATION, of: QUOTA, inWords: percent },
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
  /** The hour before the page was opened. @type {import("../service/metric-history.js").MetricHistory | undefined} */
  #before;
  /** What was asked since, and when. @type {{ time: number, metrics: import("../service/metrics.js").Metric[] }[]} */
  #asked = [];
  #isOpened = false;
  #hub = "";
  #shard = "";
  #isTableShown = false;
  #stop;
  #asking;

  constructor(app) {
    this.#app = app;
    this.#asking = new Attempt(app.update);
  }

  enter() {
    this.leave();
    this.#isOpened = true;
    if (this.#app.access.isSignedIn) this.#stop = every(EVERY_MS, this.#ask);
  }

  leave() {
    this.#stop?.();
    this.#stop = undefined;
  }

  #ask = async () => {
    await this.#asking.repeat(async () => {
      const before = this.#isOpened ? await this.#lookBack() : this.#before;
      const { text } = await this.#app.access.request("GET", PATH);
      const time = Date.now();
      // What was asked in minutes that are over by then is not as fine as what the service knows of them.
      const since = this.#isOpened ? lastEnd(before) : time - HOUR_MS;
      this.#before = before;
      this.#isOpened = false;
      this.#asked = [...this.#asked.filter((past) => past.time >= since), { time, metrics: parseMetrics(text) }];
    });
  };

  /** Asks for the last hour, which has what happened while the page was not open. */
  async #lookBack() {
    const asked = Date.now();
    const { json } = await this.#app.access.request("GET", HISTORY);
    return { ...json, asked };
  }

  render() {
    const latest = this.#asked.at(-1);
    if (!latest)
      return html`${this.#asking.render(this.#ask)} ${this.#asking.isBusy ? html`<p class="note">Loading …</p>` : ""}`;
    const hubs = [...new Set(this.#labels().map(({ hub }) => hub))];
    const shards = this.#labels()
      .filter(({ hub }) => hub === this.#hub)
      .map(({ shard }) => shard);
    const { from, to, lines } = this.#lines(latest);
    return html`
      ${this.#asking.render(this.#ask)}
      <section class="card" aria-labelledby="lines-title">
        <div class="card-head">
          <h2 id="lines-title">The last hour</h2>
          ${this.#choice("hub", "Hub", this.#hub, [["", "All hubs"], ...hubs.map((hub) => [hub, hub])])}
          ${shards.length > 1 ? this.#choice("shard", "Shard", this.#shard, [["", "All shards"], ...shards.map((shard) => [shard, `Shard ${shard}`])]) : ""}
        </div>
        <p class="note">From ${clock(from)} to ${clock(to)}.</p>
        <div class="charts">
          ${lines.map((line) => lineChart({ ...line, from, to }))}
        </div>
        <details @toggle=${({ target }) => this.#showTable(target.open)}>
          <summary>Minute by minute, as a table</summary>
          ${this.#isTableShown ? lineTable("Minute by minute", lines) : ""}
        </details>
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

  /** The hubs and shards that there are. */
  #labels() {
    const connections = this.#asked.at(-1)?.metrics.find(({ name }) => name === CONNECTIONS);
    return (connections?.samples ?? []).map(({ labels }) => labels);
  }

  #choice(name, label, chosen, choices) {
    const choose = ({ target }) => {
      if (name === "hub") this.#hub = target.value;
      this.#shard = name === "shard" ? target.value : "";
      this.#app.update();
    };
    return html`<label class="visually-hidden" for="metrics-${name}">${label}</label>
      <select id="metrics-${name}" class="small" @change=${choose}>
        ${choices.map(([value, words]) => html`<option value=${value} .selected=${value === chosen}>${words}</option>`)}
      </select>`;
  }

  #isOfHub = ({ labels }) => this.#hub === "" || labels.hub === this.#hub;

  #matches = (sample) => this.#isOfHub(sample) && (this.#shard === "" || sample.labels.shard === this.#shard);

  /** What a metric came to at a time, over the shards that are looked at. */
  #sum({ metrics }, name) {
    return sum(
      metrics.find((metric) => metric.name === name),
      this.#matches,
    );
  }

  /** The lines that there is something to draw of, and the time that they are drawn over. */
  #lines(latest) {
    const charts = CHARTS.filter(({ of }) => !of || this.#sum(latest, of) > 0);
    const all = charts.map((chart) => ({ azure: AZURE[chart.name], ...chart, points: this.#points(chart) }));
    const to = latest.time;
    const first = Math.min(to - MINUTE_MS, ...all.map(({ points }) => points[0]?.[0] ?? to));
    const from = Math.max(to - HOUR_MS, first);
    return { from, to, lines: all.map((line) => ({ ...line, points: line.points.filter(([time]) => time >= from) })) };
  }

  /**
   * @param {(typeof CHARTS)[number]} chart
   * @returns {[time: number, value: number][]}
   */
  #points({ name, per, of }) {
    const asked = this.#asked.map((past) => [past.time, share(this.#sum(past, name), of && this.#sum(past, of))]);
    return [...this.#minutes(name, per, of), ...(per ? rates(asked, per) : asked)];
  }

  /** What a line has of the minutes before the page was opened. */
  #minutes(name, per, of) {
    const before = this.#before;
    if (!before) return [];
    const minutes = (name) => minutesOf(before, name, this.#matches);
    const quotas = of && minutes(of);
    return minutes(name).map(([time, value], index) => [
      time,
      per ? (per * value) / SECONDS_IN_MINUTE : share(value, quotas?.[index][1]),
    ]);
  }

  #showTable(isShown) {
    this.#isTableShown = isShown;
    this.#app.update();
  }

  #table(metrics) {
    return html`<section class="card" aria-labelledby="table-title">
      <h2 id="table-title">All metrics</h2>
      ${table(
        "All metrics",
        ["Metric", "Azure's name", "#Now", "What it is"],
        metrics.map(
          (metric) =>
            html`<tr>
              <th scope="row"><code>${metric.name}</code></th>
              <td>${metric.name === QUOTA ? this.#utilization() : (AZURE[metric.name] ?? "")}</td>
              <td class="number">${count(sum(metric, this.#matches))}</td>
              <td class="words">${metric.help}</td>
            </tr>`,
        ),
      )}
    </section>`;
  }

  /** Azure's metric of the quota, with its value where there is one. */
  #utilization() {
    const [latest] = this.#asked.slice(-1);
    const quota = this.#sum(latest, QUOTA);
    return quota > 0 ? `${UTILIZATION}: ${percent((100 * this.#sum(latest, CONNECTIONS)) / quota)}` : UTILIZATION;
  }

  #shards(metrics) {
    const of = new Map(metrics.map((metric) => [metric.name, metric]));
    const rows = (of.get(COLUMNS[0][0])?.samples ?? []).filter(this.#isOfHub);
    const value = (name, { hub, shard }) =>
      sum(of.get(name), ({ labels }) => labels.hub === hub && labels.shard === shard);
    return html`<section class="card" aria-labelledby="shards-title">
      <h2 id="shards-title">By shard</h2>
      ${
        rows.length === 0
          ? html`<p class="empty">No hub has been used yet: <a href="#/playground">connect a client</a>.</p>`
          : table(
              "By shard",
              ["Hub", "#Shard", ...COLUMNS.map(([, words]) => `#${words}`)],
              rows.map(
                ({ labels }) =>
                  html`<tr>
                    <th scope="row">${labels.hub}</th>
                    <td class="number">${labels.shard}</td>
                    ${COLUMNS.map(([name]) => html`<td class="number">${count(value(name, labels))}</td>`)}
                  </tr>`,
              ),
            )
      }
    </section>`;
  }
}

/** By how much a counter grew in `per` seconds, from each time to the next. It begins again at 0 when a shard wakes. */
const rates = (values, per) =>
  values.slice(1).map(([time, value], index) => {
    const [before, last] = values[index];
    return [time, (per * Math.max(0, value - last)) / ((time - before) / 1000)];
  });

/** A value, or how many per cent it is of another. */
const share = (value, of) => (of === undefined ? value : (100 * value) / (of || Infinity));
