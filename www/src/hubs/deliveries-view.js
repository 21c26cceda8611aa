// What became of the last events: each attempt with its answer, its time, and what was wrong.
import { html } from "lit-html";
import { Attempt } from "../parts/attempt.js";
import { table } from "../parts/table.js";
import { moment } from "../parts/words.js";
import { every } from "../service/every.js";

const FOLLOW_MS = 2000;

/** Rows that are shown; the service keeps 200. */
const SHOWN = 200;

export class DeliveriesView {
  #app;
  #settings;
  #deliveries;
  #failedOnly = false;
  #stopFollowing;
  #loading;

  constructor(app, settings) {
    this.#app = app;
    this.#settings = settings;
    this.#loading = new Attempt(app.update);
  }

  load = async () => {
    await this.#loading.renew(async () => {
      this.#deliveries = await this.#settings.deliveries();
    });
  };

  stop() {
    this.#stopFollowing?.();
    this.#stopFollowing = undefined;
  }

  render() {
    const rows = (this.#deliveries ?? []).filter(({ error }) => !this.#failedOnly || error).slice(0, SHOWN);
    return html`<section class="card" aria-labelledby="deliveries-title">
      <div class="card-head">
        <h2 id="deliveries-title">Deliveries</h2>
        <label class="tick"
          ><input type="checkbox" .checked=${this.#failedOnly} @change=${({ target }) => this.#show(target.checked)} /><span
            >Failures only</span
          ></label
        >
        <label class="tick"
          ><input
            type="checkbox"
            .checked=${this.#stopFollowing !== undefined}
            @change=${({ target }) => this.#follow(target.checked)}
          /><span>Follow</span></label
        >
        <button type="button" class="small" @click=${this.load}>Refresh</button>
      </div>
      ${this.#loading.render()}
      ${
        rows.length === 0
          ? html`<p class="empty">${this.#inWords()}</p>`
          : table("Deliveries", ["Time", "Event", "#Attempt", "Answer", "#Took", "Connection", "URL"], rows.map(row))
      }
    </section>`;
  }

  /** Why there is no row. */
  #inWords() {
    if (!this.#deliveries) return this.#loading.isBusy ? "Loading …" : "";
    return this.#deliveries.length > 0
      ? `None of the last ${this.#deliveries.length} attempts failed.`
      : "No attempt yet: what clients send to event handlers appears here, and tests of them.";
  }

  #show(failedOnly) {
    this.#failedOnly = failedOnly;
    this.#app.update();
  }

  #follow(on) {
    this.stop();
    if (on) this.#stopFollowing = every(FOLLOW_MS, this.load);
    this.#app.update();
  }
}

const row = ({ time, event, connectionId, attempt, url, status, durationMs, error, message }) => html`<tr>
  <td><time datetime=${new Date(time).toISOString()}>${moment(time)}</time></td>
  <td>${event}</td>
  <td class="number">${attempt}</td>
  <td>
    <span class="badge" data-tone=${error ? "lost" : "live"}>${status ?? error}</span>
    ${error ? html`<p class="note">${status ? html`<code>${error}</code> ` : ""}${message}</p>` : ""}
  </td>
  <td class="number">${durationMs} ms</td>
  <td><code>${connectionId ?? ""}</code></td>
  <td><code>${url}</code></td>
</tr>`;
