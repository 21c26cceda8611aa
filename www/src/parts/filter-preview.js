// Which connections a filter matches, while it is being typed.
import { html } from "lit-html";
import { connectionsOf } from "../service/connections.js";
import { errorInWords } from "./words.js";

/** How long typing has to pause before the service is asked, in milliseconds. */
const PAUSE_MS = 300;

/** How many connections are named. */
const NAMED = 10;

export class FilterPreview {
  #app;
  #asked = "";
  #timer;
  #words = "";
  #rows = [];

  constructor(app) {
    this.#app = app;
  }

  /** Asks, if hub or conditions are others than before; `conditions` has a filter, and may have a group or user. */
  look(hub, conditions) {
    const asked = JSON.stringify([hub, conditions]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    clearTimeout(this.#timer);
    if (!hub || !conditions.filter?.trim()) {
      this.#words = "";
      this.#rows = [];
      return;
    }
    this.#timer = setTimeout(() => void this.#ask(asked, hub, conditions), PAUSE_MS);
  }

  async #ask(asked, hub, conditions) {
    let words;
    let rows = [];
    try {
      const found = await connectionsOf(this.#app.access, hub, { conditions, top: NAMED });
      rows = found.rows;
      words = inWords(rows.length, found.token !== null);
    } catch (error) {
      words = errorInWords(error);
    }
    if (asked !== this.#asked) return;
    this.#words = words;
    this.#rows = rows;
    this.#app.update();
  }

  render() {
    return html`<div class="note" id="filter-preview">
      <p role="status">${this.#words}</p>
      ${
        this.#rows.length > 0
          ? html`<ul class="plain">
            ${this.#rows.map(
              ({ connectionId, userId }) =>
                html`<li><code>${connectionId}</code>${userId === null ? "" : ` (${userId})`}</li>`,
            )}
          </ul>`
          : ""
      }
    </div>`;
  }
}

function inWords(count, isMore) {
  if (count === 0)
    return isMore ? "None of those that were looked at; there may be more." : "It matches no connection.";
  return `It matches ${isMore ? "more than " : ""}${count} ${count === 1 ? "connection" : "connections"}:`;
}
