// Hubs: their settings, their event handlers, and what became of the events.
import { html } from "lit-html";
import { DeliveriesView } from "../hubs/deliveries-view.js";
import { handlerView } from "../hubs/handler-view.js";
import { takes } from "../hubs/patterns.js";
import { handlerOf } from "../hubs/handler.js";
import { Settings } from "../hubs/settings.js";
import { Attempt } from "../parts/attempt.js";
import { download } from "../parts/download.js";
import { submit } from "../parts/form.js";

export class Hubs {
  #app;
  #names = [];
  #settings;
  #deliveries;
  #tests = new Map();
  #said = "";
  #event = "message";
  #wanted = "";
  #listing;
  #loading;
  #doing;
  #testing;

  constructor(app) {
    this.#app = app;
    this.#listing = new Attempt(app.update);
    this.#loading = new Attempt(app.update);
    this.#doing = new Attempt(app.update);
    this.#testing = new Attempt(app.update);
  }

  async enter(hub) {
    this.#deliveries?.stop();
    if (!this.#app.access.isSignedIn) return;
    if (hub !== this.#settings?.hub) {
      this.#settings = undefined;
      this.#said = "";
      this.#tests.clear();
    }
    await this.#listing.renew(async () => {
      this.#names = (await this.#app.access.request("GET", "/management/hubs")).json.hubs;
    });
    if (hub) await this.#show(hub);
  }

  leave() {
    this.#deliveries?.stop();
  }

  async #show(hub) {
    if (this.#settings?.hub === hub && this.#settings.isChanged) return;
    const settings = new Settings(this.#app.access, hub);
    await this.#loading.renew(async () => {
      await settings.load();
      this.#settings = settings;
      this.#deliveries = new DeliveriesView(this.#app, settings);
    });
    await this.#deliveries?.load();
  }

  render() {
    return html`
      <section class="card" aria-labelledby="hubs-title">
        <h2 id="hubs-title">Hubs</h2>
        ${this.#listing.render()} ${this.#list()}
        <form
          novalidate
          @submit=${submit(() => {
            if (this.#wanted.trim()) this.#app.open("hubs", this.#wanted.trim());
          })}
        >
          <label for="hub-name">Open another hub</label>
          <div class="with-button">
            <input
              id="hub-name"
              .value=${this.#wanted}
              @input=${({ target }) => (this.#wanted = target.value)}
              placeholder="myHub1"
              spellcheck="false"
              autocomplete="off"
              autocapitalize="off"
            />
            <button type="submit">Open</button>
          </div>
        </form>
      </section>
      ${this.#loading.render()} ${this.#settings ? this.#editor(this.#settings) : ""}
    `;
  }

  #list() {
    if (this.#names.length === 0) return html`<p class="note">No hub has been used yet.</p>`;
    return html`<ul class="chips" aria-label="Hubs that have been used">
      ${this.#names.map(
        (name) =>
          html`<li>
            <a
              class="pill"
              href="#/hubs/${encodeURIComponent(name)}"
              aria-current=${name.toLowerCase() === this.#settings?.hub.toLowerCase() ? "true" : "false"}
              >${name}</a
            >
          </li>`,
      )}
    </ul>`;
  }

  #editor(settings) {
    const changed = () => {
      this.#said = "";
      this.#app.update();
    };
    return html`
      <section class="card" aria-labelledby="settings-title">
        <div class="card-head">
          <h2 id="settings-title">Settings of ${settings.hub}</h2>
          ${settings.isChanged ? html`<span class="badge" data-tone="waiting">not saved</span>` : ""}
        </div>
        <form novalidate @submit=${submit(() => this.#save())}>
          <div class="pair">
            <div>
              <label for="policy">Clients without a token</label>
              <select
                id="policy"
                @change=${({ target }) => {
                  settings.policy = target.value;
                  changed();
                }}
              >
                <option value="deny" .selected=${settings.policy === "deny"}>are refused</option>
                <option value="allow" .selected=${settings.policy === "allow"}>may connect</option>
              </select>
            </div>
            <div>
              <label for="shards">Shards <span class="optional">empty for the service's</span></label>
              <input
                id="shards"
                type="number"
                min="1"
                max="1024"
                .value=${settings.shards}
                @input=${({ target }) => {
                  settings.shards = target.value;
                  changed();
                }}
              />
            </div>
          </div>
          <h3>Event handlers</h3>
          <p class="note">The first that asks for an event receives it, and no other.</p>
          <ol class="handlers">
            ${settings.handlers.map((fields, index) =>
              handlerView({
                hub: settings.hub,
                fields,
                index,
                count: settings.handlers.length,
                isTestable: !settings.isChanged && !this.#testing.isBusy && !this.#doing.isBusy,
                test: this.#tests.get(fields),
                changed,
                move: (by) => {
                  settings.move(index, by);
                  changed();
                },
                remove: () => {
                  settings.handlers.splice(index, 1);
                  changed();
                },
                runTest: () => this.#test(fields, index),
              }),
            )}
          </ol>
          ${this.#receiver(settings)}
          <div class="actions">
            <button
              type="button"
              @click=${() => {
                settings.add();
                changed();
              }}
            >
              Add an event handler
            </button>
            <button type="submit" class="primary" ?disabled=${!settings.isChanged || this.#doing.isBusy}>Save</button>
            <button
              type="button"
              ?disabled=${!settings.isChanged}
              @click=${() => {
                settings.revert();
                changed();
              }}
            >
              Revert
            </button>
            <span class="note" role="status">${this.#said}</span>
          </div>
          ${this.#doing.render()} ${this.#testing.render()}
        </form>
        ${this.#files(settings)}
      </section>
      ${this.#deliveries.render()}
    `;
  }

  /** Which handler receives an event, or that none does. */
  #receiver(settings) {
    const at = settings.handlers.findIndex((fields) => takes(handlerOf(fields), this.#event.trim()));
    return html`<div class="with-button receiver">
      <label for="tried-event">The event</label>
      <input
        id="tried-event"
        .value=${this.#event}
        @input=${({ target }) => {
          this.#event = target.value;
          this.#app.update();
        }}
        spellcheck="false"
        autocomplete="off"
      />
      <span class="note" role="status"
        >${at < 0 ? "goes to no handler: clients get an error." : `goes to event handler ${at + 1}.`}</span
      >
    </div>`;
  }

  #files(settings) {
    return html`<details>
      <summary>Import, export, reset</summary>
      <div class="actions">
        <button
          type="button"
          @click=${() => download(`${settings.hub}.json`, `${settings.asAzure}\n`, "application/json")}
        >
          Export as Azure's JSON
        </button>
        <button type="button" @click=${() => this.#reset()}>Go back to the service's settings</button>
      </div>
      <label for="import">Import a file, and save it</label>
      <input id="import" type="file" accept=".json,application/json" @change=${({ target }) => this.#import(target)} />
      <p class="note">
        What <code>az webpubsub hub show</code>, a template's resource or the emulator's settings have is taken as it is.
        Secrets are exported as <code>***</code>.
      </p>
    </details>`;
  }

  async #save() {
    await this.#change((settings) => settings.save(), "Saved.");
  }

  async #reset() {
    if (!confirm(`Forget the settings of ${this.#settings.hub}, with its event handlers?`)) return;
    await this.#change((settings) => settings.remove(), "These are the service's settings.");
  }

  async #import(input) {
    const [file] = input.files;
    if (!file) return;
    await this.#change(async (settings) => settings.import(await file.text()), "Imported and saved.");
    input.value = "";
  }

  async #change(work, said) {
    this.#said = "";
    await this.#doing.run(async () => {
      await work(this.#settings);
      this.#tests.clear();
      this.#said = said;
      if (!this.#names.includes(this.#settings.hub.toLowerCase())) this.#names.push(this.#settings.hub.toLowerCase());
    });
  }

  async #test(fields, index) {
    await this.#testing.run(async () => {
      this.#tests.set(fields, await this.#settings.test(index));
    });
    await this.#deliveries.load();
  }
}
