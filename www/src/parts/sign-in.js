// The form to sign in with a connection string.
import { html } from "lit-html";
import { Attempt } from "./attempt.js";
import { submit, takeInto } from "./form.js";

const forms = new WeakMap();

/** The form, which keeps what was typed while another page is open. */
export function signInForm(app) {
  if (!forms.has(app)) forms.set(app, new SignIn(app));
  return forms.get(app).render();
}

class SignIn {
  #app;
  #values = { text: "", remember: false };
  #isShown = false;
  #attempt;

  constructor(app) {
    this.#app = app;
    this.#attempt = new Attempt(app.update);
  }

  async #signIn() {
    const { text, remember } = this.#values;
    await this.#attempt.run(async () => {
      if (text.trim() === "") throw new Error("Paste a connection string first.");
      await this.#app.access.signIn(text, { remember });
      this.#values = { text: "", remember: false };
      this.#isShown = false;
    });
  }

  render() {
    const toggle = () => {
      this.#isShown = !this.#isShown;
      this.#app.update();
    };
    return html`
      <form
        novalidate
        @input=${takeInto(this.#values, this.#app.update)}
        @submit=${submit(() => this.#signIn())}
      >
        <label for="connection-string"
          >Connection string or access key${this.#app.access.hasSessions ? ", or the operator's secret" : ""}</label
        >
        <div class="with-button">
          <input
            id="connection-string"
            name="text"
            class="mono"
            type=${this.#isShown ? "text" : "password"}
            .value=${this.#values.text}
            spellcheck="false"
            autocomplete="off"
            placeholder="Endpoint=…;AccessKey=…;Version=1.0;"
            aria-describedby="key-note"
          />
          <button type="button" aria-controls="connection-string" @click=${toggle}>
            ${this.#isShown ? "Hide" : "Show"}
          </button>
        </div>
        <p class="note" id="key-note">
          ${
            this.#app.access.hasSessions
              ? "The key signs one ticket here, never leaves this page, and is forgotten: the session that begins ends after 12 hours."
              : "Requests are signed here; the key never leaves this page."
          }
          <code>npm start</code> prints a link that signs in, and the connection string, as
          <code>npm run -s connection-string</code> does.
        </p>
        ${this.#app.access.hasSessions ? "" : this.#rememberField()}
        <div class="actions">
          <button type="submit" class="primary" aria-disabled=${this.#attempt.isBusy}>Sign in</button>
        </div>
        ${this.#attempt.render()}
        ${this.#app.access.problem ? html`<p class="problem" role="alert">${this.#app.access.problem}</p>` : ""}
      </form>
    `;
  }

  #rememberField() {
    return html`<label class="tick">
      <input type="checkbox" name="remember" .checked=${this.#values.remember} />
      <span>Remember the connection string in this browser</span>
    </label>`;
  }
}
