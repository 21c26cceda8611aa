// One hub: its settings and event handlers to edit, and what became of its events.
import { html } from "lit-html";
import { Attempt } from "../parts/attempt.js";
import { download } from "../parts/download.js";
import { focusSoon } from "../parts/focus.js";
import { submit } from "../parts/form.js";
import { DeliveriesView } from "./deliveries-view.js";
import { handlerView } from "./handler-view.js";
import { handlerOf } from "./handler.js";
import { takes } from "./patterns.js";
import { Conflict, Settings } from "./settings.js";

export class HubEditor {
  #app;
  #settings;
  #deliveries;
  /** How tests of handlers went, by their fields. */
  #tests = new WeakMap();
  #said = "";
  #isConflict = false;
  #event = "message";
  #saved;
  #loading;
  #doing;
  #testing;

  /** `saved()` is called when the hub has settings of its own. */
  constructor(app, hub, saved) {
    this.#app = app;
    this.#settings = new Settings(app.access, hub);
    this.#deliveries = new DeliveriesView(app, this.#settings);
    this.#saved = saved;
    this.#loading = new Attempt(app.update);
    this.#doing = new Attempt(app.update);
    this.#testing = new Attempt(app.update);
  }

  get isChanged() {
    return this.#settings.isChanged;
  }

  load = async () => {
    await this.#loading.renew(() => this.#settings.load());
    if (this.#settings.isLoaded) await this.#deliveries.load();
  };

  leave() {
    this.#said = "";
    this.#doing.problem = "";
    this.#isConflict = false;
    this.#deliveries.stop();
  }

  #changed = () => {
    this.#said = "";
    this.#app.update();
  };

  render() {
    const settings = this.#settings;
    return html`
      <section class="card" aria-labelledby="settings-title">
        <div class="card-head">
          <h2 id="settings-title">Settings of ${settings.hub}</h2>
          ${settings.isChanged ? html`<span class="badge" data-tone="waiting">not saved</span>` : ""}
        </div>
        ${this.#loading.render(this.load)} ${this.#loading.isBusy && !settings.isLoaded ? html`<p class="note">Loading …</p>` : ""}
        ${settings.isLoaded ? html`${this.#form(settings)} ${this.#files(settings)}` : ""}
      </section>
      ${settings.isLoaded ? this.#deliveries.render() : ""}
    `;
  }

  #form(settings) {
    return html`<form novalidate @submit=${submit(() => this.#save())}>
      <div class="pair">
        <div>
          <label for="policy">Clients without a token</label>
          <select
            id="policy"
            @change=${({ target }) => {
              settings.policy = target.value;
              this.#changed();
            }}
          >
            <option value="deny" .selected=${settings.policy === "deny"}>are refused</option>
            <option value="allow" .selected=${settings.policy === "allow"}>may connect</option>
          </select>
        </div>
        <div>
          <label for="shards">Shards <span class="optional">empty for the service's default</span></label>
          <input
            id="shards"
            type="number"
            min="1"
            max="1024"
            .value=${settings.shards}
            @input=${({ target }) => {
              settings.shards = target.value;
              this.#changed();
            }}
          />
        </div>
      </div>
      <h3>Event handlers</h3>
      <p class="note">The first that asks for an event receives it, and no other.</p>
      ${this.#handlers(settings)} ${this.#receiver(settings)} ${this.#actions(settings)}
      ${this.#doing.render()} ${this.#isConflict ? this.#choice() : ""} ${this.#testing.render()}
    </form>`;
  }

  #handlers(settings) {
    return html`<ol class="handlers">
      ${settings.handlers.map((fields, index) =>
        handlerView({
          hub: settings.hub,
          fields,
          index,
          count: settings.handlers.length,
          isTestable: !settings.isChanged,
          test: this.#tests.get(fields),
          changed: this.#changed,
          move: (by) => this.#move(index, by),
          remove: () => {
            settings.handlers.splice(index, 1);
            this.#changed();
          },
          runTest: () => this.#test(fields, index),
        }),
      )}
    </ol>`;
  }

  /** Moves a handler in the order, and the focus with it. */
  #move(index, by) {
    if (!this.#settings.handlers[index + by]) return;
    this.#settings.move(index, by);
    this.#changed();
    focusSoon(`handler-${index + by}-${by < 0 ? "up" : "down"}`);
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

  #actions(settings) {
    const add = () => {
      settings.add();
      this.#changed();
      focusSoon(`handler-${settings.handlers.length - 1}-url`);
    };
    const revert = () => {
      settings.revert();
      this.#isConflict = false;
      this.#doing.problem = "";
      this.#changed();
    };
    return html`<div class="actions">
      <button type="button" @click=${add}>Add an event handler</button>
      <button type="submit" class="primary" aria-disabled=${!settings.isChanged || this.#doing.isBusy}>Save</button>
      <button type="button" aria-disabled=${!settings.isChanged} @click=${revert}>Revert</button>
      <span class="note" role="status">${this.#said}</span>
    </div>`;
  }

  /** What can be done where somebody else has changed the settings meanwhile. */
  #choice() {
    return html`<div class="actions">
      <button type="button" @click=${() => this.#change((settings) => settings.reload(), "Loaded what the service has.")}>
        Drop mine, and load theirs
      </button>
      <button type="button" @click=${() => this.#save({ isForced: true })}>Save mine over theirs</button>
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
        <button type="button" @click=${() => this.#reset()}>Reset to the service's defaults</button>
      </div>
      <label for="import">Import a file, and save it</label>
      <input id="import" type="file" accept=".json,application/json" @change=${({ target }) => this.#import(target)} />
      <p class="note">
        What <code>az webpubsub hub show</code>, a template's resource or the emulator's settings have is taken as it is.
        Secrets are exported as <code>***</code>.
      </p>
    </details>`;
  }

  async #save(how) {
    if (this.isChanged) await this.#change((settings) => settings.save(how), "Saved.");
  }

  async #reset() {
    if (!confirm(`Forget the settings of ${this.#settings.hub}, with its event handlers?`)) return;
    await this.#change((settings) => settings.remove(), "These are the service's defaults.");
  }

  async #import(input) {
    const [file] = input.files;
    if (!file) return;
    const isMeant = !this.isChanged || confirm("Replace what was edited here and is not saved?");
    if (isMeant) await this.#change(async (settings) => settings.import(await file.text()), "Imported and saved.");
    input.value = "";
  }

  async #change(work, said) {
    this.#said = "";
    this.#isConflict = false;
    await this.#doing.run(async () => {
      try {
        await work(this.#settings);
      } catch (error) {
        this.#isConflict = error instanceof Conflict;
        throw error;
      }
      this.#said = said;
      void this.#saved();
    });
  }

  async #test(fields, index) {
    if (this.isChanged) return;
    await this.#testing.run(async () => {
      this.#tests.set(fields, await this.#settings.test(index));
    });
    await this.#deliveries.load();
  }
}
