// Connections and groups of a hub: listed, searched, looked at, closed.
import { html } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { ConnectionView } from "../connections/connection-view.js";
import { ConnectionTable } from "../connections/connection-table.js";
import { GroupTable } from "../connections/group-table.js";
import { Attempt } from "../parts/attempt.js";
import { focusSoon } from "../parts/focus.js";
import { tabs } from "../parts/tabs.js";

const VIEWS = [
  { id: "connections", words: "Connections" },
  { id: "groups", words: "Groups" },
];

export class Connections {
  #app;
  /** Names of hubs; none before the first answer. @type {string[] | undefined} */
  #hubs;
  #hub = "";
  /** The hub that was asked for last, which is shown once it is known which there are. */
  #wanted = "";
  #view = "connections";
  #table;
  #groups;
  #open;
  /** What was done to a connection that is not there any more. */
  #done = "";
  #listing;

  constructor(app) {
    this.#app = app;
    this.#listing = new Attempt(app.update);
    this.#table = new ConnectionTable(app, (id) => this.#look(id));
    this.#groups = new GroupTable(app, (group) => this.#membersOf(group));
  }

  async enter(hub) {
    if (hub) this.#wanted = hub.toLowerCase();
    if (!this.#app.access.isSignedIn) return;
    await this.#listing.renew(async () => {
      this.#hubs = (await this.#app.access.request("GET", "/management/hubs")).json.hubs;
    });
    await this.#choose(this.#wanted || this.#hubs?.[0] || "");
  }

  async #choose(hub) {
    if (hub !== this.#hub) this.#open = undefined;
    this.#wanted = this.#hub = hub;
    this.#done = "";
    if (!hub || !this.#hubs) return;
    // Named in the address, a hub that was not used yet is one, too.
    if (!this.#hubs.includes(hub)) this.#hubs.push(hub);
    await (this.#view === "groups" ? this.#groups.show(hub) : this.#table.show(hub));
  }

  async #select(view) {
    this.#view = view;
    this.#app.update();
    await this.#choose(this.#hub);
  }

  async #membersOf(group) {
    this.#table.ask({ group });
    await this.#select("connections");
    focusSoon("list-connections");
  }

  async #look(id) {
    const opener = document.activeElement;
    const leave = () => {
      this.#open = undefined;
      this.#app.update();
      if (opener instanceof HTMLElement) opener.focus();
    };
    const changed = async (isClosed) => {
      if (isClosed) {
        if (this.#open === view) this.#open = undefined;
        this.#done = `Closed the connection ${id}.`;
      }
      await this.#table.refresh();
    };
    this.#done = "";
    const view = (this.#open = new ConnectionView(this.#app, this.#hub, id, { changed, leave }));
    await view.load();
    // Whoever looks at something else by now stays there.
    if (this.#open === view) focusSoon("open-title");
  }

  render() {
    if (!this.#hubs?.length)
      return html`<section class="card" aria-labelledby="list-title">
        <h2 id="list-title">Hub</h2>
        ${this.#listing.render(() => this.enter())} ${this.#listing.isBusy ? html`<p class="note">Loading …</p>` : ""}
        ${this.#hubs ? html`<p class="note">No hub has been used yet: <a href="#/playground">connect a client</a>.</p>` : ""}
      </section>`;
    return html`
      ${this.#listing.render()}
      <section class="card" aria-labelledby="list-title">
        <div class="card-head">
          <h2 id="list-title">Hub</h2>
          <label class="visually-hidden" for="connections-hub">Hub</label>
          <select id="connections-hub" class="small" @change=${({ target }) => void this.#choose(target.value)}>
            ${this.#hubs.map((hub) => html`<option value=${hub} .selected=${hub === this.#hub}>${hub}</option>`)}
          </select>
        </div>
        <p class="note" role="status">${this.#done}</p>
        ${tabs({
          label: "What to list",
          items: VIEWS,
          selected: this.#view,
          panel: "list",
          select: (view) => void this.#select(view),
        })}
        <div id="list" role="tabpanel" aria-labelledby="list-${this.#view}">
          ${this.#view === "groups" ? this.#groups.render() : this.#table.render()}
        </div>
      </section>
      ${this.#open ? keyed(this.#open, this.#open.render()) : ""}
    `;
  }
}
