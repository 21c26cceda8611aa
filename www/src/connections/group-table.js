// The table of a hub's groups, a page at a time.
import { html } from "lit-html";
import { submit } from "../parts/form.js";
import { table } from "../parts/table.js";
import { groupsOf } from "../service/connections.js";
import { PagedList } from "./paged-list.js";

const ROWS = 100;

export class GroupTable {
  #open;
  #hub = "";
  /** What is in the field, and what was when the list began. */
  #prefix = "";
  #searched = "";
  #list;

  /** `open(group)` shows the members of a group. */
  constructor(app, open) {
    this.#open = open;
    this.#list = new PagedList(app, ["group", "groups"], (token) =>
      groupsOf(app.access, this.#hub, { conditions: { prefix: this.#searched }, top: ROWS, token }),
    );
  }

  async show(hub) {
    if (hub !== this.#hub) this.#list.forget();
    this.#hub = hub;
    this.#searched = this.#prefix;
    await this.#list.begin();
  }

  render() {
    const { rows = [] } = this.#list;
    return html`
      <form novalidate @submit=${submit(() => this.show(this.#hub))}>
        <label for="group-prefix">Name begins with</label>
        <input
          id="group-prefix"
          type="search"
          .value=${this.#prefix}
          @input=${({ target }) => (this.#prefix = target.value)}
          spellcheck="false"
          autocomplete="off"
        />
        ${this.#list.controls()}
      </form>
      ${
        rows.length > 0
          ? table(
              "Groups",
              ["Group", "#Connections"],
              rows.map((row) => this.#row(row)),
            )
          : ""
      }
    `;
  }

  #row({ group, connections }) {
    return html`<tr>
      <th scope="row"><button type="button" class="link" @click=${() => this.#open(group)}>${group}</button></th>
      <td class="number">${connections.toLocaleString()}</td>
    </tr>`;
  }
}
