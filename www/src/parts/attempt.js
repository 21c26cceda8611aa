// One thing that is tried, and what went wrong with it, for the page to show.
import { html, nothing } from "lit-html";
import { errorInWords } from "./words.js";

export class Attempt {
  problem = "";
  isBusy = false;
  #hasFailed = false;
  #update;
  #next;

  constructor(update) {
    this.#update = update;
  }

  /** Does the work, unless it is being done. Resolves with its result, or with nothing where it failed. */
  async run(work) {
    if (this.isBusy) return undefined;
    this.problem = "";
    const result = await this.repeat(work);
    void this.#goOn();
    return result;
  }

  /**
   * The same for what a page does by itself again and again: what went wrong stays until it goes right, so that those who
   * do not see it have it read once.
   */
  async repeat(work) {
    if (this.isBusy) return undefined;
    this.isBusy = true;
    this.#update();
    try {
      const result = await work();
      this.problem = "";
      this.#hasFailed = false;
      return result;
    } catch (error) {
      this.problem = errorInWords(error);
      this.#hasFailed = true;
      return undefined;
    } finally {
      this.isBusy = false;
      this.#update();
    }
  }

  /** Does the work once what is under way is over; of several that wait, the last one only. */
  async renew(work) {
    this.#next = work;
    await this.#goOn();
  }

  /** Does what waits. */
  async #goOn() {
    while (this.#next && !this.isBusy) {
      const next = this.#next;
      this.#next = undefined;
      await this.repeat(next);
    }
  }

  /** The place where it says what went wrong; with a button for what has none of its own and is done `again` by it. */
  render(again) {
    return html`<p class="problem" role="alert">${this.problem || nothing}</p>
      ${
        again && this.#hasFailed
          ? html`<button type="button" class="small" aria-disabled=${this.isBusy} @click=${again}>Try again</button>`
          : ""
      }`;
  }
}
