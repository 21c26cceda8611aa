// Where the service is, how it is, and the way to a first message.
import { html } from "lit-html";
import { steps } from "../app/progress.js";
import { Attempt } from "../parts/attempt.js";
import { submit, takeInto } from "../parts/form.js";
import { signInForm } from "../parts/sign-in.js";
import { health } from "../service/health.js";
import { publish } from "../service/publish.js";
import { every } from "../service/every.js";

/** How often the counts are asked for while the page is open, in milliseconds. Asking wakes hubs that sleep. */
const COUNTS_MS = 60_000;

export class Overview {
  #app;
  #health;
  #counts;
  #counting;
  #publishing;
  #stop = [];
  #message = { hub: "myHub1", text: "Hello World" };
  #isPublished = false;

  constructor(app) {
    this.#app = app;
    this.#counting = new Attempt(app.update);
    this.#publishing = new Attempt(app.update);
  }

  enter() {
    this.leave();
    this.#stop.push(every(COUNTS_MS, () => this.#look()));
  }

  leave() {
    for (const stop of this.#stop.splice(0)) stop();
  }

  async #look() {
    this.#health = await health();
    this.#app.update();
    if (!this.#app.access.isSignedIn) return;
    await this.#counting.repeat(async () => {
      const { json } = await this.#app.access.request("GET", "/management/overview");
      const sum = (value) => json.hubs.reduce((total, hub) => total + value(hub), 0);
      const connections = sum(({ metrics }) => metrics.webpubsub_connections ?? 0);
      const silentShards = sum((hub) => hub.silentShards);
      this.#counts = { version: json.version, hubs: json.hubs.length, connections, silentShards };
      if (connections > 0) this.#app.progress.reach("connected");
    });
  }

  async #publish() {
    this.#isPublished = false;
    await this.#publishing.run(async () => {
      await publish(this.#app.access, this.#message);
      this.#isPublished = true;
      this.#app.progress.reach("published");
    });
  }

  render() {
    return html`<div class="columns">${this.#service()} ${this.#steps()}</div>`;
  }

  #service() {
    const { origin } = location;
    const counts = this.#app.access.isSignedIn ? this.#counts : undefined;
    const clients = `${origin.replace(/^http/, "ws")}/client/hubs/`;
    return html`<section class="card" aria-labelledby="service-title">
      <h2 id="service-title">This service</h2>
      <dl>
        <div>
          <dt>Endpoint</dt>
          <dd><code>${origin}</code> <copy-button what="the endpoint" .text=${origin}></copy-button></dd>
        </div>
        <div>
          <dt>Clients connect to</dt>
          <dd><code>${clients}<var>hub</var></code></dd>
        </div>
        <div>
          <dt>Health</dt>
          <dd>${this.#healthInWords()}</dd>
        </div>
        <div>
          <dt>Version</dt>
          <dd>${counts?.version ?? WEBPUBSUB_EDGE_VERSION}</dd>
        </div>
        <div>
          <dt>Connections</dt>
          <dd id="connection-count">${counts ? counts.connections.toLocaleString() : "–"}</dd>
        </div>
        <div>
          <dt>Hubs</dt>
          <dd id="hub-count">${counts ? counts.hubs.toLocaleString() : "–"}</dd>
        </div>
      </dl>
      ${
        counts?.silentShards
          ? html`<p class="problem" role="alert">
            Shards that did not answer, and are not counted: ${counts.silentShards}. Refresh to ask them again.
          </p>`
          : ""
      }
      <div class="actions">
        <button type="button" @click=${() => this.#look()} aria-disabled=${this.#counting.isBusy}>Refresh</button>
        ${this.#app.access.isSignedIn ? "" : html`<span class="note">Sign in to see the counts.</span>`}
      </div>
      ${this.#counting.render()}
    </section>`;
  }

  #healthInWords() {
    if (!this.#health) return "…";
    const { isHealthy, words } = this.#health;
    return html`<span class="badge" data-tone=${isHealthy ? "live" : "lost"}>${words}</span>`;
  }

  #steps() {
    const { progress } = this.#app;
    return html`<section class="card" aria-labelledby="steps-title">
      <h2 id="steps-title">First message in 60 seconds</h2>
      <ol class="steps">
        ${steps.map(
          ({ id, words }) =>
            html`<li data-done=${String(progress.has(id))}>
              <p>
                <span class="tick-mark" aria-hidden="true">${progress.has(id) ? "✓" : ""}</span>
                <b>${words}</b>
                <span class="visually-hidden">${progress.has(id) ? "(done)" : "(to do)"}</span>
              </p>
              ${this.#how(id)}
            </li>`,
        )}
      </ol>
    </section>`;
  }

  #how(step) {
    const { access, progress } = this.#app;
    if (step === "signed-in") return progress.has(step) ? "" : signInForm(this.#app);
    if (!access.isSignedIn) return "";
    if (step === "connected")
      return html`<div class="actions">
        <button type="button" @click=${() => this.#app.open("playground", "connect", this.#message.hub)}>
          Connect one in the playground
        </button>
        <a href="#/client-url">or with a program of your own</a>
      </div>`;
    if (step === "published")
      return html`<form
        novalidate
        @input=${takeInto(this.#message, this.#app.update)}
        @submit=${submit(() => this.#publish())}
      >
        <div class="pair">
          <div>
            <label for="publish-hub">Hub</label>
            <input id="publish-hub" name="hub" .value=${this.#message.hub} spellcheck="false" autocomplete="off" />
          </div>
          <div>
            <label for="publish-text">Message</label>
            <input id="publish-text" name="text" .value=${this.#message.text} autocomplete="off" />
          </div>
        </div>
        <div class="actions">
          <button type="submit" aria-disabled=${this.#publishing.isBusy}>Publish to all</button>
          <span class="note" role="status">${this.#isPublished ? "Published." : ""}</span>
        </div>
        ${this.#publishing.render()}
      </form>`;
    return html`<p class="note"><a href="#/playground">The playground</a> shows what its clients receive.</p>`;
  }
}
