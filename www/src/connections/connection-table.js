// The table of a hub's connections, a page at a time, with what to search for.
import { html } from "lit-html";
import { Attempt } from "../parts/attempt.js";
import { submit, takeInto } from "../parts/form.js";
import { connectionsOf } from "../service/connections.js";

const ROWS = 100;

const nothingAsked = () => ({ userId: "", group: "", connectionIdPrefix: "", filter: "" });

const FIELDS = [
  ["userId", "User"],
  ["group", "Group"],
  ["connectionIdPrefix", "Id begins with"],
  ["filter", "Filter"],
];

export class ConnectionTable {
  #app;
  #look;
  #hub = "";
  #asked = nothingAsked();
  #rows = [];
  /** @type {string | null} */
  #next = null;
  /** Where each page before this one began, to go back. */
  #before = [];
  /** @type {string | null} */
  #token = null;
  #loading;

  constructor(app, look) {
    this.#app = app;
    this.#look = look;
    this.#loading = new Attempt(app.update);
  }

  /** What to search for from here on. */
  ask(conditions) {
    this.#asked = { ...nothingAsked(), ...conditions };
  }

  async show(hub) {
    this.#hub = hub;
    this.#before = [];
    this.#token = null;
    await this.refresh();
  }

  async refresh() {
    await this.#loading.renew(async () => {
      const { rows, token } = await connectionsOf(this.#app.access, this.#hub, {
        conditions: this.#asked,
        top: ROWS,
        token: this.#token,
      });
      this.#rows = rows;
      this.#next = token;
    });
  }

  async #forward() {
    this.#before.push(this.#token);
    this.#token = this.#next;
    await this.refresh();
  }

  async #back() {
    this.#token = this.#before.pop() ?? null;
    await this.refresh();
  }

  render() {
    return html`
      <form
        novalidate
        @input=${takeInto(this.#asked, this.#app.update)}
        @submit=${submit(() => this.show(this.#hub))}
      >
        <div class="pair">
          ${FIELDS.map(
            ([name, words]) =>
              html`<div>
                <label for="search-${name}">${words}</label>
                <input
                  id="search-${name}"
                  name=${name}
                  type="search"
                  .value=${this.#asked[name]}
                  spellcheck="false"
                  autocomplete="off"
                  autocapitalize="off"
                  placeholder=${name === "filter" ? "userId ne null" : ""}
                />
              </div>`,
          )}
        </div>
        <div class="actions">
          <button type="submit" class="primary" ?disabled=${this.#loading.isBusy}>Search</button>
          <button type="button" ?disabled=${this.#before.length === 0} @click=${() => this.#back()}>Page before</button>
          <button type="button" ?disabled=${!this.#next} @click=${() => this.#forward()}>Next page</button>
          <span class="note" role="status">${this.#inWords()}</span>
        </div>
      </form>
      ${this.#loading.render()} ${this.#rows.length > 0 ? this.#table() : ""}
    `;
  }

  #inWords() {
    const { length } = this.#rows;
    if (this.#loading.isBusy) return "…";
    if (length === 0) return this.#next ? "None so far; there may be more." : "No connection is like that.";
    return `${length} ${length === 1 ? "connection" : "connections"}${this.#next ? ", and more" : ""}`;
  }

  #table() {
    return html`<div class="table" tabindex="0" role="group" aria-label="Connections">
      <table>
        <thead>
          <tr>
            <th scope="col">Connection</th>
            <th scope="col">User</th>
            <th scope="col">Protocol</th>
            <th scope="col">Groups</th>
            <th scope="col">Since</th>
            <th scope="col" class="number">Shard</th>
          </tr>
        </thead>
        <tbody>
          ${this.#rows.map((connection) => this.#row(connection))}
        </tbody>
      </table>
    </div>`;
  }

  #row({ connectionId, userId, subprotocol, groups, groupCount, connectedAt, shard, isAttached }) {
    const more = groupCount > groups.length ? ` and ${groupCount - groups.length} more` : "";
    return html`<tr>
      <th scope="row">
        <button type="button" class="link" @click=${() => this.#look(connectionId)}>${connectionId}</button>
        ${isAttached ? "" : html`<span class="badge" data-tone="waiting">detached</span>`}
      </th>
      <td>${userId ?? ""}</td>
      <td>${subprotocol ?? "none"}</td>
      <td>${groups.join(", ")}${more}</td>
      <td>${connectedAt === null ? "" : html`<time datetime=${new Date(connectedAt).toISOString()}>${new Date(connectedAt).toLocaleString()}</time>`}</td>
      <td class="number">${shard}</td>
    </tr>`;
  }
}
