// Hubs: which there are, and the one that is open.
import { html } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { HubEditor } from "../hubs/hub-editor.js";
import { Attempt } from "../parts/attempt.js";
import { submit } from "../parts/form.js";

export class Hubs {
  #app;
  /** Names of hubs; none before the first answer. @type {string[] | undefined} */
  #names;
  /** Those that were opened, by their names in lower case: what is not saved stays while another one is open. */
  #editors = new Map();
  #open;
  #wanted = "";
  #listing;

  constructor(app) {
    this.#app = app;
    this.#listing = new Attempt(app.update);
    addEventListener("beforeunload", (event) => {
      if ([...this.#editors.values()].some(({ isChanged }) => isChanged)) event.preventDefault();
    });
  }

  async enter(hub) {
    this.leave();
    if (!this.#app.access.isSignedIn) return;
    this.#open = hub ? this.#editorOf(hub) : undefined;
    await this.#list();
    await this.#open?.load();
  }

  leave() {
    this.#open?.leave();
  }

  #editorOf(hub) {
    const name = hub.toLowerCase();
    if (!this.#editors.has(name)) this.#editors.set(name, new HubEditor(this.#app, hub, () => this.#list()));
    return this.#editors.get(name);
  }

  #list = () =>
    this.#listing.renew(async () => {
      this.#names = (await this.#app.access.request("GET", "/management/hubs")).json.hubs;
    });

  render() {
    return html`
      <section class="card" aria-labelledby="hubs-title">
        <h2 id="hubs-title">Hubs</h2>
        ${this.#listing.render(this.#list)} ${this.#chips()}
        <form
          novalidate
          @submit=${submit(() => {
            if (this.#wanted.trim()) this.#app.open("hubs", this.#wanted.trim());
          })}
        >
          <label for="hub-name">Open another hub</label>
          <div class="with-button">
            <input
              id="hub-name"
              .value=${this.#wanted}
              @input=${({ target }) => (this.#wanted = target.value)}
              placeholder="myHub1"
              spellcheck="false"
              autocomplete="off"
              autocapitalize="off"
            />
            <button type="submit">Open</button>
          </div>
        </form>
      </section>
      ${this.#open ? keyed(this.#open, this.#open.render()) : ""}
    `;
  }

  #chips() {
    if (!this.#names) return this.#listing.isBusy ? html`<p class="note">Loading …</p>` : "";
    if (this.#names.length === 0) return html`<p class="note">No hub has been used yet. Open one to set it up.</p>`;
    return html`<ul class="chips" aria-label="Hubs that have been used">
      ${this.#names.map((name) => {
        const editor = this.#editors.get(name);
        return html`<li>
          <a
            class="pill"
            href="#/hubs/${encodeURIComponent(name)}"
            aria-current=${editor && editor === this.#open ? "true" : "false"}
            >${name}${editor?.isChanged ? html` <span class="optional">not saved</span>` : ""}</a
          >
        </li>`;
      })}
    </ul>`;
  }
}
