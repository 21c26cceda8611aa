// The access keys, and the lines that programs want them in.
import { html } from "lit-html";
import { connectionString } from "../access/connection-string.js";
import { Attempt } from "../parts/attempt.js";

const NAME = "WebPubSubConnectionString";

/** How programs are given a connection string. @type {[title: string, what: string, form: (text: string) => string][]} */
const FORMS = [
  ["Connection string", "the connection string", (text) => text],
  [".env", "the line of a .env file", (text) => `${NAME}="${text}"`],
  ["bash, zsh", "the line of a shell", (text) => `export ${NAME}='${text}'`],
  ["PowerShell", "the line of PowerShell", (text) => `$env:${NAME} = '${text}'`],
];

/** How keys are changed: in the API, on the button, and what is asked before. @type {[change: any, words: string, warning: string][]} */
const CHANGES = [
  [
    ":rotate",
    "Rotate",
    "Make a new primary key? The one of today becomes the secondary key, and the secondary key ends.",
  ],
  [
    "primary/:regenerate",
    "Regenerate the primary key",
    "End the primary key? Servers and clients that have it, or tokens that it signed, are refused from now on.",
  ],
  [
    "secondary/:regenerate",
    "Regenerate the secondary key",
    "End the secondary key? Servers and clients that have it, or tokens that it signed, are refused from now on.",
  ],
];

export class Keys {
  #app;
  /** Each with its text as `shown` while that is to be seen. */
  #keys = [];
  #endpoint;
  #loading;
  /** What the last change came to. */
  #done = "";

  constructor(app) {
    this.#app = app;
    this.#loading = new Attempt(app.update);
  }

  async enter() {
    this.#done = "";
    await this.#load();
  }

  #load = async () => {
    this.#keys = this.#keys.map((key) => ({ ...key, shown: undefined }));
    if (!this.#app.access.isSignedIn) return;
    await this.#loading.renew(async () => {
      this.#keys = await this.#app.access.keys();
    });
  };

  leave() {
    this.#keys = [];
  }

  render() {
    return html`
      ${this.#loading.render(this.#load)}
      <div class="columns">
        ${this.#keys.map((key) => this.#card(key))}
        <section class="card" aria-labelledby="change-title">
          <h2 id="change-title">Change a key without a gap</h2>
          <ol class="plain">
            <li>
              <b>Rotate</b>: a new key becomes the primary one, and the one that is in use the secondary one. Both are
              accepted, so no client is cut off.
            </li>
            <li>Give your servers connection strings with the new primary key.</li>
            <li>
              Once the tokens of the old key have ended, <b>regenerate the secondary key</b>: no server has the new one, and
              the old one is refused.
            </li>
          </ol>
          <p>
            A key that became known is regenerated at once. What it signed is refused from then on, also what a reliable
            client recovers its connection with.
          </p>
          <div class="actions">
            ${CHANGES.map(
              ([change, words, warning]) =>
                html`<button type="button" aria-disabled=${this.#loading.isBusy} @click=${() => this.#change(change, warning)}>
                  ${words}
                </button>`,
            )}
          </div>
          <p role="status">${this.#done}</p>
          <p class="note">
            The service stores new keys, and they hold in the place of the configured ones until those are changed there:
            write the primary one where <code>WEBPUBSUB_ACCESS_KEY</code> is set, too.
          </p>
        </section>
      </div>
    `;
  }

  #card(key) {
    const { name, start, reveal, shown } = key;
    const id = `key-${name.toLowerCase()}`;
    const masked = shown ?? `${start}${"•".repeat(12)}`;
    const text = connectionString(this.#chosen, masked);
    return html`<section class="card" aria-labelledby=${id}>
      <h2 id=${id}>${name} key</h2>
      <div class="with-button">
        <code class="secret">${masked}</code>
        <button type="button" @click=${() => this.#toggle(key)}>
          ${shown ? "Hide" : "Reveal"}
        </button>
        <copy-button what="the ${name.toLowerCase()} key" .text=${reveal}></copy-button>
      </div>
      ${this.#endpoints(id)}
      ${FORMS.map(
        ([title, what, form]) => html`
          <h3>${title}</h3>
          <div class="code">
            <pre tabindex="0" role="region" aria-label="${title} of the ${name.toLowerCase()} key"><code>${form(text)}</code></pre>
            <copy-button
              what="${what} of the ${name.toLowerCase()} key"
              .text=${async () => form(connectionString(this.#chosen, await reveal()))}
            ></copy-button>
          </div>
        `,
      )}
    </section>`;
  }

  async #change(change, warning) {
    if (this.#loading.isBusy || !confirm(warning)) return;
    this.#done = "";
    const changed = await this.#loading.run(async () => {
      await this.#app.access.changeKeys(change);
      return true;
    });
    if (!changed) return;
    await this.#load();
    this.#done = "The keys are changed.";
    this.#app.update();
  }

  get #chosen() {
    const { endpoints } = this.#app.access;
    return endpoints.includes(this.#endpoint) ? this.#endpoint : endpoints[0];
  }

  #endpoints(id) {
    const { endpoints } = this.#app.access;
    if (endpoints.length < 2) return "";
    const choose = ({ target }) => {
      this.#endpoint = target.value;
      this.#app.update();
    };
    return html`<label for="${id}-endpoint">Endpoint</label>
      <select id="${id}-endpoint" @change=${choose}>
        ${endpoints.map(
          (endpoint) => html`<option value=${endpoint} .selected=${endpoint === this.#chosen}>${endpoint}</option>`,
        )}
      </select>`;
  }

  async #toggle(key) {
    if (key.shown) {
      key.shown = undefined;
      return this.#app.update();
    }
    await this.#loading.run(async () => {
      key.shown = await key.reveal();
    });
  }
}
