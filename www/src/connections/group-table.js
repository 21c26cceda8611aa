// The table of a hub's groups, a page at a time.
import { html } from "lit-html";
import { Attempt } from "../parts/attempt.js";
import { submit } from "../parts/form.js";
import { groupsOf } from "../service/connections.js";

const ROWS = 100;

export class GroupTable {
  #app;
  #open;
  #hub = "";
  #prefix = "";
  #rows = [];
  /** @type {string | null} */
  #next = null;
  #loading;

  /** `open(group)` shows the members of a group. */
  constructor(app, open) {
    this.#app = app;
    this.#open = open;
    this.#loading = new Attempt(app.update);
  }

  async show(hub, /** @type {string | null} */ token = null) {
    this.#hub = hub;
    await this.#loading.renew(async () => {
      const asked = { conditions: { prefix: this.#prefix }, top: ROWS, token };
      const { rows, token: next } = await groupsOf(this.#app.access, hub, asked);
      this.#rows = rows;
      this.#next = next;
    });
  }

  render() {
    return html`
      <form novalidate @submit=${submit(() => this.show(this.#hub))}>
        <label for="group-prefix">Name begins with</label>
        <div class="with-button">
          <input
            id="group-prefix"
            type="search"
            .value=${this.#prefix}
            @input=${({ target }) => (this.#prefix = target.value)}
            spellcheck="false"
            autocomplete="off"
          />
          <button type="submit">Search</button>
        </div>
        <div class="actions">
          <button type="button" ?disabled=${!this.#next} @click=${() => this.show(this.#hub, this.#next)}>Next page</button>
          <span class="note" role="status"
            >${this.#rows.length === 0 ? "No group has members." : `${this.#rows.length} groups`}</span
          >
        </div>
      </form>
      ${this.#loading.render()}
      ${
        this.#rows.length === 0
          ? ""
          : html`<div class="table" tabindex="0" role="group" aria-label="Groups">
            <table>
              <thead>
                <tr>
                  <th scope="col">Group</th>
                  <th scope="col" class="number">Connections</th>
                </tr>
              </thead>
              <tbody>
                ${this.#rows.map(
                  ({ group, connections }) =>
                    html`<tr>
                      <th scope="row">
                        <button type="button" class="link" @click=${() => this.#open(group)}>${group}</button>
                      </th>
                      <td class="number">${connections.toLocaleString()}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
      }
    `;
  }
}
