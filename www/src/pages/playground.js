// Clients to connect, send with and watch, each in a tab.
import { html } from "lit-html";
import { focusSoon } from "../parts/focus.js";
import { tabs } from "../parts/tabs.js";
import { ClientTab } from "../playground/client-tab.js";

/** How many clients may be open at once. */
const MAX_CLIENTS = 20;

export class Playground {
  #app;
  #tabs = [];
  #selected;
  #number = 0;

  constructor(app) {
    this.#app = app;
    this.#add();
  }

  /** `#/playground/connect/HUB` connects a client to a hub, if none is connected. */
  enter(action, hub) {
    if (action !== "connect" || !this.#app.access.isSignedIn) return;
    history.replaceState(null, "", "#/playground");
    this.#app.route.rest = [];
    const idle = this.#tabs.find(({ client }) => client.state === "idle");
    const tab = idle ?? this.#add();
    this.#selected = tab;
    void tab.connectTo(hub);
  }

  /** Opens a client with this URL, in a tab that has none yet if there is one. */
  openClient({ url }) {
    const tab = this.#tabs.find((one) => one.isUntouched) ?? this.#add();
    tab.give(url);
    this.#selected = tab;
    this.#app.update();
  }

  render() {
    const items = this.#tabs.map(({ id, title, tone }) => ({
      id,
      words: html`<span class="dot" data-tone=${tone} aria-hidden="true"></span>${title}`,
    }));
    return html`
      <div class="tab-row">
        ${tabs({
          label: "Clients",
          items,
          selected: this.#selected.id,
          panel: "client",
          select: (id) => this.#select(id),
        })}
        <button type="button" class="small" aria-disabled=${this.#isFull} @click=${() => this.#open()}>
          New client
        </button>
        ${
          this.#tabs.length > 1
            ? html`<button type="button" class="small" @click=${() => this.#close()}>Close ${this.#selected.title}</button>`
            : ""
        }
      </div>
      <div id="client" role="tabpanel" aria-labelledby="client-${this.#selected.id}">${this.#selected.render()}</div>
    `;
  }

  get #isFull() {
    return this.#tabs.length >= MAX_CLIENTS;
  }

  /** Opens another client, and goes to its tab. */
  #open() {
    if (this.#isFull) return;
    this.#add();
    focusSoon(`client-${this.#selected.id}`);
  }

  #add() {
    const tab = new ClientTab(this.#app, ++this.#number);
    this.#tabs.push(tab);
    this.#selected = tab;
    this.#app.update();
    return tab;
  }

  #select(id) {
    this.#selected = this.#tabs.find((tab) => tab.id === id);
    this.#app.update();
  }

  #close() {
    const at = this.#tabs.indexOf(this.#selected);
    this.#selected.close();
    this.#tabs.splice(at, 1);
    this.#selected = this.#tabs[Math.max(0, at - 1)];
    this.#app.update();
    focusSoon(`client-${this.#selected.id}`);
  }
}
