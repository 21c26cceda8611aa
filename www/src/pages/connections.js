// Connections and groups of a hub: listed, searched, looked at, closed.
import { html } from "lit-html";
import { ConnectionView } from "../connections/connection-view.js";
import { ConnectionTable } from "../connections/connection-table.js";
import { GroupTable } from "../connections/group-table.js";
import { Attempt } from "../parts/attempt.js";
import { tabs } from "../parts/tabs.js";

const VIEWS = [
  { id: "connections", words: "Connections" },
  { id: "groups", words: "Groups" },
];

export class Connections {
  #app;
  #hubs = [];
  #hub = "";
  #view = "connections";
  #table;
  #groups;
  #open;
  #listing;

  constructor(app) {
    this.#app = app;
    this.#listing = new Attempt(app.update);
    this.#table = new ConnectionTable(app, (id) => this.#look(id));
    this.#groups = new GroupTable(app, (group) => this.#membersOf(group));
  }

  async enter(hub) {
    if (!this.#app.access.isSignedIn) return;
    await this.#listing.run(async () => {
      this.#hubs = (await this.#app.access.request("GET", "/management/hubs")).json.hubs;
    });
    await this.#choose(hub ?? (this.#hub || this.#hubs[0] || ""));
  }

  async #choose(hub) {
    if (hub !== this.#hub) this.#open = undefined;
    this.#hub = hub;
    if (!hub) return;
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
  }

  async #look(id) {
    this.#open = new ConnectionView(this.#app, this.#hub, id, async (isClosed) => {
      if (isClosed) this.#open = undefined;
      await this.#table.refresh();
    });
    await this.#open.load();
    document.getElementById("open-title")?.focus();
  }

  render() {
    if (this.#hubs.length === 0)
      return html`<section class="card" aria-labelledby="list-title">
        <h2 id="list-title">Hub</h2>
        ${this.#listing.render()}
        <p class="note">No hub has been used yet: <a href="#/playground">connect a client</a>.</p>
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
      ${this.#open?.render() ?? ""}
    `;
  }
}
