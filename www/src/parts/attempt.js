// One thing that is tried, and what went wrong with it, for the page to show.
import { html, nothing } from "lit-html";
import { errorInWords } from "./words.js";

export class Attempt {
  problem = "";
  isBusy = false;
  #update;
  #next;

  constructor(update) {
    this.#update = update;
  }

  /** Does the work, unless it is being done. Resolves with its result, or with nothing where it failed. */
  async run(work) {
    if (this.isBusy) return undefined;
    this.isBusy = true;
    this.problem = "";
    this.#update();
    try {
      return await work();
    } catch (error) {
      this.problem = errorInWords(error);
      return undefined;
    } finally {
      this.isBusy = false;
      this.#update();
    }
  }

  /** Does the work once what is under way is over; of several that wait, the last one only. */
  async renew(work) {
    this.#next = work;
    if (this.isBusy) return;
    while (this.#next) {
      const next = this.#next;
      this.#next = undefined;
      await this.run(next);
    }
  }

  /** The place where it says what went wrong. */
  render() {
    return html`<p class="problem" role="alert">${this.problem || nothing}</p>`;
  }
}
