// Client URLs: what they are to allow, what is in their token, and programs that use them.
import { html } from "lit-html";
import { takeInto } from "../parts/form.js";
import { code } from "../parts/code.js";
import { readClientUrl } from "../access/client-url.js";
import { snippets } from "../access/snippets.js";
import { errorInWords } from "../parts/words.js";
import { tabs } from "../parts/tabs.js";
import { rolesOf, wishFields, wishOf, newWish } from "../parts/wish.js";
import { grantedBy, permissions, problemOfRole } from "../access/roles.js";

/** How long typing has to pause before the service is asked for a URL, in milliseconds. */
const PAUSE_MS = 200;

/** Kinds of clients, of which each has URLs of its own. */
const CLIENTS = [
  ["default", "Web PubSub"],
  ["mqtt", "MQTT"],
];

export class ClientUrl {
  #app;
  #wish = newWish();
  #group = "room";
  #made = { url: "", problem: "" };
  #timer;
  #snippet = snippets[0].id;
  #code;
  #isCodeShown = false;

  constructor(app) {
    this.#app = app;
  }

  enter() {
    void this.#make();
  }

  async #make() {
    if (!this.#app.access.isSignedIn) return;
    const wish = JSON.stringify(this.#wish);
    let made;
    try {
      made = { url: await this.#app.access.clientUrl(wishOf(this.#wish)), problem: "" };
    } catch (error) {
      made = { url: "", problem: errorInWords(error) };
    }
    // What was typed meanwhile makes its own.
    if (wish !== JSON.stringify(this.#wish)) return;
    this.#made = made;
    if (this.#isCodeShown) await this.#draw();
    this.#app.update();
  }

  /** Makes it for what is typed: here at once, and by the service once the typing pauses. */
  #makeSoon() {
    this.#app.update();
    clearTimeout(this.#timer);
    if (!this.#app.access.isSession) return void this.#make();
    this.#timer = setTimeout(() => void this.#make(), PAUSE_MS);
  }

  /** Draws the QR code, with a module that is loaded when it is first asked for. */
  async #draw() {
    const { qrCode } = await import("../parts/qr-code.js");
    try {
      this.#code = qrCode(this.#made.url, "The client URL as a QR code");
    } catch {
      this.#code = html`<p class="problem">This URL is too long for a QR code. Take fewer or shorter roles and groups.</p>`;
    }
    this.#app.update();
  }

  render() {
    return html`<div class="columns">
      <section class="card" aria-labelledby="wish-title">
        <h2 id="wish-title">What the client may do</h2>
        <form
          novalidate
          @submit=${(event) => event.preventDefault()}
          @input=${takeInto(this.#wish, () => this.#makeSoon())}
        >
          <label for="url-clients">Clients</label>
          <select id="url-clients" name="clients">
            ${CLIENTS.map(([value, words]) => html`<option value=${value} .selected=${value === this.#wish.clients}>${words}</option>`)}
          </select>
          ${wishFields(this.#wish, "url")}
        </form>
        ${this.#tester()}
      </section>
      <div class="stack">${this.#result()}</div>
    </div>`;
  }

  #tester() {
    const roles = rolesOf(this.#wish);
    const wrong = roles.map((role) => [role, problemOfRole(role)]).filter(([, problem]) => problem);
    const type = ({ target }) => {
      this.#group = target.value;
      this.#app.update();
    };
    return html`<h3 id="tester-title">Try the roles</h3>
      <label for="tested-group">A group's name</label>
      <input
        id="tested-group"
        .value=${this.#group}
        @input=${type}
        spellcheck="false"
        autocomplete="off"
        autocapitalize="off"
      />
      <ul class="plain" aria-live="polite" aria-labelledby="tester-title">
        ${permissions.map((permission) => {
          const role = grantedBy(roles, permission, this.#group);
          const what = permission === "sendToGroup" ? "Send to it" : "Join and leave it";
          return html`<li>
            <span class="badge" data-tone=${role ? "live" : "lost"}>${role ? "yes" : "no"}</span>
            ${what}${role ? html`, by <code>${role}</code>` : ""}
          </li>`;
        })}
        ${wrong.map(([role, problem]) => html`<li class="problem"><code>${role}</code>: ${problem}</li>`)}
      </ul>`;
  }

  #result() {
    const { url, problem } = this.#made;
    if (!url)
      return html`<section class="card">
        ${problem ? html`<p class="problem" role="alert">${problem}</p>` : html`<p class="note">Loading …</p>`}
      </section>`;
    const { says, claims } = readClientUrl(url);
    return html`
      <section class="card" aria-labelledby="url-title">
        <h2 id="url-title">Client URL</h2>
        <p class="note">${says}</p>
        ${code(url, "the client URL")}
        <div class="actions">
          <button type="button" class="primary" @click=${() => this.#openInPlayground(url)}>Open in the playground</button>
        </div>
        <details>
          <summary>What its token says</summary>
          ${code(JSON.stringify(claims, null, 2), "the token's claims")}
          <p class="note">
            ${claims.iat ? `Made ${new Date(claims.iat * 1000).toLocaleString()}. ` : ""}
            Accepted until ${new Date(claims.exp * 1000).toLocaleString()}; connections that are open then stay.
          </p>
        </details>
        <details @toggle=${({ target }) => this.#showCode(target.open)}>
          <summary>As a QR code</summary>
          <p class="note">Whoever sees it can connect until the token has ended.</p>
          ${this.#isCodeShown ? this.#code : ""}
        </details>
      </section>
      ${this.#programs(url)}
    `;
  }

  #programs(url) {
    const programs = snippets.filter(({ isMqtt = false }) => isMqtt === (this.#wish.clients === "mqtt"));
    const { id, install, file, run, program } = programs.find((snippet) => snippet.id === this.#snippet) ?? programs[0];
    const select = (chosen) => {
      this.#snippet = chosen;
      this.#app.update();
    };
    return html`<section class="card" aria-labelledby="programs-title">
      <h2 id="programs-title">A program that connects</h2>
      ${tabs({ label: "Languages", items: programs, selected: id, panel: "program", select })}
      <div id="program" role="tabpanel" aria-labelledby="program-${id}">
        ${code(install, "the command that installs")}
        ${file ? html`<p class="note">Save it as <code>${file}</code> and run it:</p>` : ""}
        ${code(program(url), "the program")} ${run ? code(run, "the command that runs it") : ""}
      </div>
    </section>`;
  }

  #showCode(isShown) {
    this.#isCodeShown = isShown;
    if (isShown) void this.#draw();
  }

  #openInPlayground(url) {
    this.#app.pageAt("playground").openClient({ url });
    this.#app.open("playground");
  }
}
