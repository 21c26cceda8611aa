// One client of the playground on the page: how it connects, what it does, and what it sees.
import { html } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { readClientUrl } from "../access/client-url.js";
import { Attempt } from "../parts/attempt.js";
import { submit, takeInto } from "../parts/form.js";
import { newWish, wishFields, wishOf } from "../parts/wish.js";
import { Client } from "./client.js";
import { Composer } from "./composer.js";
import { LogView } from "./log-view.js";
import { NetworkControls } from "./network-controls.js";
import { MQTT, protocols } from "./protocols.js";

const STATES = {
  idle: ["idle", "Not connected"],
  connecting: ["waiting", "Connecting …"],
  connected: ["live", "Connected"],
  recovering: ["lost", "Connection lost, getting it back …"],
  lost: ["lost", "Connection lost, trying again …"],
};

export class ClientTab {
  id;
  client;
  #app;
  #number;
  #connecting;
  #composer;
  #log;
  #network;
  #source = { source: "make", url: "" };
  #wish = newWish();
  /** Whether the fields of the connection are shown; they are hidden once it is there. */
  #isOpen = true;
  #isClosed = false;
  #hub = "";

  constructor(app, number) {
    this.#app = app;
    this.#number = number;
    this.id = String(number);
    this.client = new Client({
      changed: app.update,
      received: () => app.progress.reach("received"),
      eventFailed: () => void this.#composer.explain("message"),
    });
    this.#connecting = new Attempt(app.update);
    this.#composer = new Composer(app, this.client, () => this.#hub);
    this.#log = new LogView(app, this.client.log);
    this.#network = new NetworkControls(app, this.client);
    if (!app.access.isSignedIn) this.#source.source = "paste";
  }

  get title() {
    return this.client.userId ? `Client ${this.#number}: ${this.client.userId}` : `Client ${this.#number}`;
  }

  get tone() {
    return STATES[this.client.state][0];
  }

  get isUntouched() {
    return this.client.state === "idle" && this.#source.url === "" && this.client.log.count === 0;
  }

  /** Puts a client URL in the field. */
  give(url) {
    this.#source = { source: "paste", url };
    if (readClientUrl(url).isMqtt) this.client.protocol = MQTT;
  }

  /** Makes a client URL for a hub and connects. */
  async connectTo(hub) {
    this.#source.source = "make";
    this.#wish.hub = hub;
    await this.#connect();
  }

  close() {
    this.#isClosed = true;
    this.client.disconnect();
  }

  async #connect() {
    if (this.client.state !== "idle") return;
    await this.#connecting.run(async () => {
      const url = await this.#wantedUrl();
      if (this.#isClosed) return;
      this.#hub = url.hub;
      if (!(await this.client.connect(url.url))) return;
      this.#isOpen = false;
      this.#app.progress.reach("connected");
    });
  }

  async #wantedUrl() {
    const { isMqtt } = this.client;
    if (this.#source.source !== "paste")
      return readClientUrl(await this.#app.access.clientUrl({ ...wishOf(this.#wish), isMqtt }));
    const url = readClientUrl(this.#source.url);
    if (url.isMqtt !== isMqtt)
      throw new Error(`This client URL is ${url.isMqtt ? "" : "not "}for MQTT: choose its protocol.`);
    return url;
  }

  render() {
    return keyed(
      this.id,
      html`<div class="playground">
        ${this.#connection()} ${this.#log.render()}
        <div class="stack">${this.#composer.render()} ${this.#network.render()}</div>
      </div>`,
    );
  }

  #connection() {
    const { client } = this;
    const [tone, words] = STATES[client.state];
    const asUser = client.isLive && client.userId ? ` as ${client.userId}` : "";
    const isIdle = client.state === "idle";
    return html`<section class="card" aria-labelledby="connection-title">
      <div class="card-head">
        <h2 id="connection-title">Connection</h2>
        <p class="badge" id="state" role="status" data-tone=${tone}>${words}${asUser}</p>
      </div>
      <form novalidate @submit=${submit(() => this.#connect())}>
        <details
          .open=${isIdle || this.#isOpen}
          @toggle=${({ target }) => (this.#isOpen = target.open)}
          @input=${takeInto(this.#source, this.#app.update)}
        >
          <summary>Client URL and protocol</summary>
          <fieldset class="choice">
            <legend>Where the client URL comes from</legend>
            ${this.#choice("make", "Make one")} ${this.#choice("paste", "Paste it")}
          </fieldset>
          ${this.#source.source === "paste" ? this.#pasted() : this.#made()}
          <label for="protocol">Protocol</label>
          <select
            id="protocol"
            ?disabled=${!isIdle}
            @change=${({ target }) => {
              client.protocol = target.value;
              this.#app.update();
            }}
          >
            ${protocols.map(
              ({ id, words }) => html`<option value=${id} .selected=${client.protocol === id}>${words}</option>`,
            )}
          </select>
        </details>
        <div class="actions">
          <button type="submit" class="primary" id="connect" aria-disabled=${!isIdle || this.#connecting.isBusy}>Connect</button>
          <button type="button" id="disconnect" aria-disabled=${isIdle} @click=${() => client.disconnect()}>
            Disconnect
          </button>
        </div>
        ${this.#connecting.render()}
      </form>
    </section>`;
  }

  #choice(value, words) {
    return html`<label>
      <input type="radio" name="source" value=${value} .checked=${this.#source.source === value} /><span>${words}</span>
    </label>`;
  }

  #made() {
    if (!this.#app.access.isSignedIn)
      return html`<p class="note">To make one the page needs an access key: <a href="#/overview">sign in</a>.</p>`;
    return html`<div @input=${takeInto(this.#wish, this.#app.update)}>${wishFields(this.#wish, "make")}</div>`;
  }

  #pasted() {
    // A URL has no line breaks: Enter means Connect, as in any other field.
    const enter = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      event.target.form.requestSubmit();
    };
    return html`
      <label for="client-url">Client URL</label>
      <textarea
        id="client-url"
        name="url"
        class="mono"
        rows="3"
        .value=${this.#source.url}
        spellcheck="false"
        autocomplete="off"
        autocapitalize="off"
        placeholder="ws://localhost:8080/client/hubs/myHub1?access_token=…"
        aria-describedby="client-url-says"
        @keydown=${enter}
      ></textarea>
      <p class="note" id="client-url-says" role="status">${this.#says()}</p>
    `;
  }

  #says() {
    if (this.#source.url.trim() === "") return "";
    try {
      return readClientUrl(this.#source.url).says;
    } catch (error) {
      return error.message;
    }
  }
}
