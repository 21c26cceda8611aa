// A list that is looked at a page at a time, forward and back.
import { html } from "lit-html";
import { Attempt } from "../parts/attempt.js";

export class PagedList {
  /** The rows of the page; none before the first answer. @type {any[] | undefined} */
  rows;
  #ask;
  #nouns;
  /** @type {string | null} */
  #next = null;
  /** Where each page before this one began, to go back. */
  #before = [];
  /** @type {string | null} */
  #token = null;
  /** Stands for what was asked for last. */
  #asked;
  #loading;

  /**
   * `ask(token)` gives the page that begins there; `nouns` are what one row is, and several are.
   *
   * @param {any} app
   * @param {[one: string, several: string]} nouns
   * @param {(token: string | null) => Promise<{ rows: any[], token: string | null }>} ask
   */
  constructor(app, nouns, ask) {
    this.#ask = ask;
    this.#nouns = nouns;
    this.#loading = new Attempt(app.update);
  }

  /** Forgets the rows: they are of another list than the one that begins. */
  forget() {
    this.rows = undefined;
  }

  /** Begins with the first page. */
  async begin() {
    this.#before = [];
    this.#token = null;
    await this.refresh();
  }

  refresh = async () => {
    const asked = (this.#asked = {});
    // What follows the page is known once that is there.
    this.#next = null;
    await this.#loading.renew(async () => {
      const { rows, token } = await this.#ask(this.#token);
      if (asked !== this.#asked) return;
      this.rows = rows;
      this.#next = token;
    });
  };

  async #forward() {
    if (!this.#next) return;
    this.#before.push(this.#token);
    this.#token = this.#next;
    await this.refresh();
  }

  async #back() {
    if (this.#before.length === 0) return;
    this.#token = this.#before.pop() ?? null;
    await this.refresh();
  }

  /** The buttons, below a form's fields, and what came of them. */
  controls() {
    return html`<div class="actions">
        <button type="submit" class="primary" aria-disabled=${this.#loading.isBusy}>Search</button>
        <button type="button" aria-disabled=${this.#before.length === 0} @click=${() => this.#back()}>Previous page</button>
        <button type="button" aria-disabled=${!this.#next} @click=${() => this.#forward()}>Next page</button>
        <span class="note" role="status">${this.#inWords()}</span>
      </div>
      ${this.#loading.render(this.refresh)}`;
  }

  #inWords() {
    if (this.#loading.isBusy) return "Loading …";
    if (!this.rows || this.#loading.problem) return "";
    const { length } = this.rows;
    const [one, several] = this.#nouns;
    if (length === 0) return this.#next ? "None so far; there may be more." : `No ${one} matches.`;
    return `${length} ${length === 1 ? one : several}${this.#next ? ", and more" : ""}`;
  }
}
