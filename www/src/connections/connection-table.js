// The table of a hub's connections, a page at a time, with what to search for.
import { html } from "lit-html";
import { submit, takeInto } from "../parts/form.js";
import { table } from "../parts/table.js";
import { moment } from "../parts/words.js";
import { connectionsOf } from "../service/connections.js";
import { PagedList } from "./paged-list.js";

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
  /** What is in the fields. */
  #asked = nothingAsked();
  /** What was in them when the list began: its next pages are of the same. */
  #searched = nothingAsked();
  #list;

  /** `look(id)` shows a connection. */
  constructor(app, look) {
    this.#app = app;
    this.#look = look;
    this.#list = new PagedList(app, ["connection", "connections"], (token) =>
      connectionsOf(app.access, this.#hub, { conditions: this.#searched, top: ROWS, token }),
    );
  }

  /** What to search for from here on. */
  ask(conditions) {
    this.#asked = { ...nothingAsked(), ...conditions };
  }

  async show(hub) {
    if (hub !== this.#hub) this.#list.forget();
    this.#hub = hub;
    this.#searched = { ...this.#asked };
    await this.#list.begin();
  }

  refresh() {
    return this.#list.refresh();
  }

  render() {
    const { rows = [] } = this.#list;
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
        ${this.#list.controls()}
      </form>
      ${
        rows.length > 0
          ? table(
              "Connections",
              ["Connection", "User", "Protocol", "Groups", "Since", "#Shard"],
              rows.map((connection) => this.#row(connection)),
            )
          : ""
      }
    `;
  }

  #row({ connectionId, userId, subprotocol, groups, groupCount, connectedAt, shard, isAttached }) {
    const more = groupCount > groups.length ? ` and ${groupCount - groups.length} more` : "";
    return html`<tr>
      <th scope="row">
        <button type="button" class="link" @click=${() => this.#look(connectionId)}>${connectionId}</button>
        ${isAttached ? "" : html`<span class="badge" data-tone="waiting">detached</span>`}
      </th>
      <td class="name">${userId ?? ""}</td>
      <td>${subprotocol ?? "none"}</td>
      <td class="words">${groups.join(", ")}${more}</td>
      <td>
        ${connectedAt === null ? "" : html`<time datetime=${new Date(connectedAt).toISOString()}>${moment(connectedAt)}</time>`}
      </td>
      <td class="number">${shard}</td>
    </tr>`;
  }
}
