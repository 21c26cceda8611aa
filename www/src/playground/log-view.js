// The log of one client on the page: filter, pause, copy, download, and one row opened.
import { html } from "lit-html";
import { code } from "../parts/code.js";
import { download } from "../parts/download.js";
import { sizeInWords } from "../parts/words.js";
import { MAX_FRAMES } from "./frame-log.js";
import "../parts/virtual-list.js";

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

const DIRECTIONS = { in: ["↓", "received"], out: ["↑", "sent"], note: ["•", "note"] };

/** How often a count of what has arrived is announced to those who do not see it, in milliseconds. */
const ANNOUNCED_MS = 3000;

const FRAMES = {
  title: "Frames",
  noun: "frame",
  empty: "Nothing yet. Every frame that is sent or received appears here.",
  file: "frames.jsonl",
  hasControl: true,
};

export class LogView {
  #app;
  #log;
  #words;
  #open;
  #announced = "";
  #announcedAt = 0;
  #announcedCount = 0;
  #timer;

  /**
   * `words` say what the rows are.
   *
   * @param {any} app
   * @param {import("./frame-log.js").FrameLog} log
   * @param {{ title: string, noun: string, empty: string, file: string, hasControl?: boolean }} words
   */
  constructor(app, log, words = FRAMES) {
    this.#app = app;
    this.#log = log;
    this.#words = words;
  }

  render() {
    const log = this.#log;
    this.#announce();
    return html`<section class="card log" aria-labelledby="messages-title">
      <div class="card-head">
        <h2 id="messages-title">${this.#words.title}</h2>
        <span class="note" id="frame-count">${this.#counts()}</span>
        <p class="visually-hidden" role="status">${this.#announced}</p>
      </div>
      <div class="tools">
        <label class="visually-hidden" for="log-filter">Filter</label>
        <input
          id="log-filter"
          type="search"
          placeholder="Filter"
          .value=${log.filter.text}
          @input=${({ target }) => this.#filter({ text: target.value })}
        />
        ${this.#words.hasControl ? this.#controlChoice() : ""}
        <button type="button" class="small" @click=${() => (log.isPaused ? log.resume() : log.pause())}>
          ${log.isPaused ? "Resume" : "Pause"}
        </button>
        <button
          type="button"
          class="small"
          aria-disabled=${log.rows.length === 0}
          @click=${() => log.rows.length > 0 && download(this.#words.file, `${log.asJsonLines()}\n`)}
        >
          Download
        </button>
        <copy-button what="the ${this.#words.noun}s" .text=${() => log.asJsonLines()}></copy-button>
        <button type="button" class="small" aria-disabled=${log.kept === 0} @click=${() => this.#clear()}>Clear</button>
      </div>
      ${
        log.rows.length === 0
          ? html`<p class="empty">
            ${log.kept === 0 ? this.#words.empty : `No ${this.#words.noun} matches.`}
          </p>`
          : ""
      }
      <virtual-list
        role="log"
        aria-live="off"
        aria-labelledby="messages-title"
        .content=${{ rows: log.rows, row: (frame) => this.#row(frame) }}
      ></virtual-list>
      ${this.#detail()}
    </section>`;
  }

  /** Whether frames that say nothing to people are shown. */
  #controlChoice() {
    return html`<label class="tick"
      ><input
        type="checkbox"
        .checked=${this.#log.filter.control}
        @change=${({ target }) => this.#filter({ control: target.checked })}
      /><span>Pings and sequence acks</span></label
    >`;
  }

  #counts() {
    const { rows, missed, kept } = this.#log;
    const shown = `${rows.length.toLocaleString()} ${rows.length === 1 ? "row" : "rows"}`;
    if (this.#log.isPaused) return `paused, ${missed.toLocaleString()} since`;
    return kept === MAX_FRAMES ? `the last ${MAX_FRAMES.toLocaleString()}` : shown;
  }

  #filter(changed) {
    Object.assign(this.#log.filter, changed);
    this.#log.applyFilter();
  }

  #clear() {
    this.#open = undefined;
    this.#log.clear();
  }

  #row(frame) {
    const [arrow, direction] = DIRECTIONS[frame.direction];
    const open = () => {
      this.#open = this.#open === frame ? undefined : frame;
      this.#app.update();
    };
    const badge = frame.origin || frame.type;
    return html`<button
      type="button"
      class="row"
      tabindex="-1"
      data-direction=${frame.direction}
      data-origin=${badge}
      aria-pressed=${String(this.#open === frame)}
      @click=${open}
    >
      <span class="arrow" aria-hidden="true">${arrow}</span><span class="visually-hidden">${direction} </span>
      <time datetime=${new Date(frame.time).toISOString()}>${clock.format(frame.time)}</time>
      <span class="origin">${badge}</span>
      ${frame.group === undefined ? "" : html`<span class="group"><span class="says">in group </span><b>${frame.group}</b></span>`}
      ${frame.user ? html`<span class="user"><span class="says">from </span><b>${frame.user}</b></span>` : ""}
      ${frame.dataType ? html`<span class="type">${frame.dataType}</span>` : ""}
      <span class="data">${oneLine(frame.data)}</span>
      ${frame.ackId === undefined ? "" : html`<span class="id">ack ${frame.ackId}</span>`}
      ${frame.sequenceId === undefined ? "" : html`<span class="id">#${frame.sequenceId}</span>`}
      ${frame.size ? html`<span class="size">${sizeInWords(frame.size)}</span>` : ""}
    </button>`;
  }

  #detail() {
    const frame = this.#open;
    if (!frame) return "";
    const [, direction] = DIRECTIONS[frame.direction];
    return html`<div class="detail">
      <p class="note">
        ${direction} ${clock.format(frame.time)}, ${sizeInWords(frame.size)}${frame.isCut ? ", of which a part is kept" : ""}
      </p>
      ${code(pretty(frame.raw), `the ${this.#words.noun}`)}
    </div>`;
  }

  /** Says now and then how many frames there are, and not for each. */
  #announce() {
    const { count } = this.#log;
    if (count === this.#announcedCount || this.#timer) return;
    const wait = Math.max(0, this.#announcedAt + ANNOUNCED_MS - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const added = this.#log.count - this.#announcedCount;
      this.#announced = `${added} more ${this.#words.noun}${added === 1 ? "" : "s"}`;
      this.#announcedCount = this.#log.count;
      this.#announcedAt = Date.now();
      this.#app.update();
    }, wait);
  }
}

const oneLine = (text) => (text.length > 300 ? `${text.slice(0, 300)}…` : text).replace(/\s+/g, " ");

function pretty(raw) {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    return raw;
  }
}
