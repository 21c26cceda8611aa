// The access keys, and the lines that programs want them in.
import { html } from "lit-html";
import { connectionString } from "../access/connection-string.js";
import { Attempt } from "../parts/attempt.js";
import { code } from "../parts/code.js";

const NAME = "WebPubSubConnectionString";

/** How programs are given a connection string. @type {[title: string, what: string, form: (text: string) => string][]} */
const FORMS = [
  ["Connection string", "the connection string", (text) => text],
  [".env", "the line of a .env file", (text) => `${NAME}="${text}"`],
  ["bash, zsh", "the line of a shell", (text) => `export ${NAME}='${text}'`],
  ["PowerShell", "the line of PowerShell", (text) => `$env:${NAME} = '${text}'`],
];

export class Keys {
  #app;
  /** Which keys are shown, by their names. */
  #revealed = new Set();
  #keys = [];
  #endpoint;
  #loading;

  constructor(app) {
    this.#app = app;
    this.#loading = new Attempt(app.update);
  }

  async enter() {
    this.#revealed.clear();
    this.#keys = [];
    if (!this.#app.access.isSignedIn) return;
    await this.#loading.renew(async () => {
      this.#keys = await this.#app.access.keys();
    });
  }

  leave() {
    this.#revealed.clear();
    this.#keys = [];
  }

  render() {
    return html`
      ${this.#loading.render()}
      <div class="columns">
        ${this.#keys.map((key) => this.#card(key))}
        <section class="card" aria-labelledby="change-title">
          <h2 id="change-title">Change a key without a gap</h2>
          <p>
            Both keys are accepted, so no client is cut off. They are secrets of the deployment, and the service cannot
            write them: set them in <code>.dev.vars</code> on your own machine, and with
            <code>wrangler secret put</code> on Cloudflare.
          </p>
          <ol class="plain">
            <li>Set <code>WEBPUBSUB_ACCESS_KEY_SECONDARY</code> to the key that is in use.</li>
            <li>Set <code>WEBPUBSUB_ACCESS_KEY</code> to a new one, and give your servers connection strings with it.</li>
            <li>Wait until the tokens of the old one have ended, and take the secondary away.</li>
          </ol>
          ${code("openssl rand -base64 48", "the command for a new key")}
        </section>
      </div>
    `;
  }

  #card({ name, start, reveal }) {
    const id = `key-${name.toLowerCase()}`;
    const shown = this.#revealed.has(name) ? this.#keys.find((key) => key.name === name).key : undefined;
    const masked = shown ?? `${start}${"•".repeat(12)}`;
    const text = connectionString(this.#chosen, masked);
    return html`<section class="card" aria-labelledby=${id}>
      <h2 id=${id}>${name} key</h2>
      <div class="with-button">
        <code class="secret">${masked}</code>
        <button type="button" aria-pressed=${String(Boolean(shown))} @click=${() => this.#toggle(name)}>
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

  async #toggle(name) {
    if (this.#revealed.delete(name)) return this.#app.update();
    const key = this.#keys.find((one) => one.name === name);
    await this.#loading.run(async () => {
      key.key = await key.reveal();
      this.#revealed.add(name);
    });
  }
}
