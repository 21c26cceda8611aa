// A list of very many rows, of which only those in sight are on the page: `<virtual-list .content=${{ rows, row }}>`.
import { html, render } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { keepFocus } from "./focus.js";

/** Rows that are drawn above and below those in sight. */
const SPARE = 8;

/** Height of a row in pixels; the style sheet has the same. */
const ROW_PX = 34;

class VirtualList extends HTMLElement {
  /** @type {{ number: number }[]} */
  #rows = [];
  /** @type {(row: any) => unknown} */
  #row = () => "";
  #list = document.createElement("ol");
  #before = document.createElement("div");
  #after = document.createElement("div");
  #newest = 0;
  #focused;

  connectedCallback() {
    if (this.#list.isConnected) return;
    this.tabIndex = 0;
    this.append(this.#before, this.#list, this.#after);
    this.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.addEventListener("keydown", (event) => this.#move(event));
    this.addEventListener("focusin", ({ target }) => (this.#focused = numberOf(target) ?? this.#focused));
    new ResizeObserver(() => this.#draw()).observe(this);
  }

  /**
   * The rows, and what draws one of them. The newest row is the last, and is shown on top. The rows may be the same list
   * as before with others in it, so whoever changes them gives another object around them.
   *
   * @param {{ rows: { number: number }[], row: (row: any) => unknown }} content
   */
  set content({ rows, row }) {
    this.#rows = rows;
    this.#row = row;
    const newest = rows.at(-1)?.number ?? 0;
    // Whoever has scrolled goes on looking at the same rows.
    if (this.scrollTop > 0 && newest > this.#newest && this.#newest > 0) {
      let added = 0;
      while (added < rows.length && rows[rows.length - 1 - added].number > this.#newest) added++;
      this.#scrollTo(this.scrollTop + added * ROW_PX);
    }
    this.#newest = newest;
    this.#draw();
  }

  #draw() {
    const total = this.#rows.length;
    const first = Math.max(0, Math.floor(this.scrollTop / ROW_PX) - SPARE);
    const last = Math.min(total, Math.ceil((this.scrollTop + this.clientHeight) / ROW_PX) + SPARE);
    const shown = [];
    for (let index = Math.min(first, total); index < last; index++) shown.push(this.#rows[total - 1 - index]);
    this.#before.style.height = `${Math.min(first, total) * ROW_PX}px`;
    this.#after.style.height = `${Math.max(0, total - last) * ROW_PX}px`;
    const items = repeat(
      shown,
      ({ number }) => number,
      (row, index) =>
        html`<li aria-setsize=${total} aria-posinset=${first + index + 1} data-number=${row.number}>
          ${this.#row(row)}
        </li>`,
    );
    keepFocus(() => render(items, this.#list));
  }

  #scrollTo(top) {
    this.scrollTop = top;
  }

  /** Up and down go from row to row, Home and End to the newest and the oldest. */
  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step || this.#rows.length === 0) return;
    event.preventDefault();
    const at = this.#rows.findIndex(({ number }) => number === this.#focused);
    const from = at < 0 ? this.#rows.length : at;
    const to = Math.min(this.#rows.length - 1, Math.max(0, from - step));
    const fromTop = this.#rows.length - 1 - to;
    const top = fromTop * ROW_PX;
    if (top < this.scrollTop) this.#scrollTo(top);
    if (top + ROW_PX > this.scrollTop + this.clientHeight) this.#scrollTo(top + ROW_PX - this.clientHeight);
    this.#draw();
    const button = this.#list.querySelector(`[data-number="${this.#rows[to].number}"] button`);
    if (button instanceof HTMLElement) button.focus({ preventScroll: true });
  }
}

const numberOf = (target) => Number(target.closest("[data-number]")?.dataset.number) || undefined;

customElements.define("virtual-list", VirtualList);
