// What a client does: the form for its actions, its groups, and what came of the last one.
import { html } from "lit-html";
import { Attempt } from "../parts/attempt.js";
import { submit, takeInto } from "../parts/form.js";
import { whyUntaken } from "../hubs/patterns.js";
import { actionFor, actionOf, actionsOf, newForm } from "./actions.js";

export class Composer {
  #app;
  #client;
  #hub;
  #form = newForm();
  #doing;
  #result = "";
  #why = "";
  /** Stands for the explanation that was asked for last. */
  #asked;

  /** `hub()` is the name of the hub that the client is connected to. */
  constructor(app, client, hub) {
    this.#app = app;
    this.#client = client;
    this.#hub = hub;
    this.#doing = new Attempt(app.update);
  }

  get #isReady() {
    return this.#client.isLive && !this.#doing.isBusy;
  }

  async #do(form = this.#form) {
    if (!this.#isReady) return;
    this.#forget();
    let action;
    await this.#doing.run(async () => {
      action = actionOf(form, this.#client);
      this.#result = await this.#client.perform(action);
    });
    if (this.#doing.problem && (action?.kind === "event" || action?.kind === "invoke")) await this.explain(action.name);
  }

  async #again() {
    if (!this.#isReady) return;
    this.#forget();
    await this.#doing.run(async () => {
      this.#result = await this.#client.again();
    });
  }

  /** Forgets what came of the operation before. */
  #forget() {
    this.#result = this.#why = "";
    this.#asked = undefined;
  }

  /** Says that no handler takes an event, if that is why it failed. */
  async explain(event) {
    const hub = this.#hub();
    const asked = (this.#asked = {});
    if (!this.#app.access.isSignedIn) {
      this.#why = "Perhaps no event handler takes this event: sign in, and the page looks.";
    } else {
      const settings = await this.#app.access
        .request("GET", `/management/hubs/${encodeURIComponent(hub)}`)
        .catch(() => undefined);
      if (asked !== this.#asked) return;
      this.#why = settings ? (whyUntaken(hub, settings.json.eventHandlers ?? [], event) ?? "") : "";
    }
    this.#app.update();
  }

  render() {
    return html`<section class="card" aria-labelledby="send-title">
      <h2 id="send-title">Operations</h2>
      <form
        id="send-form"
        novalidate
        @input=${takeInto(this.#form, this.#app.update)}
        @submit=${submit(() => this.#do())}
      >
        ${this.#client.isBare ? this.#frame() : this.#action()}
        <div class="actions">
          <button type="submit" class="primary" id="send" aria-disabled=${!this.#isReady}>
            Send
          </button>
          ${
            this.#client.last
              ? html`<button type="button" aria-disabled=${!this.#isReady} @click=${() => this.#again()}>
                Same ack id again
              </button>`
              : ""
          }
          <span class="note" id="send-says" role="status">${this.#result}</span>
        </div>
        ${this.#doing.render()}
        ${this.#why ? html`<p class="note" id="why">${this.#why} <a href="#/hubs">Event handlers</a></p>` : ""}
      </form>
      ${this.#groups()}
    </section>`;
  }

  #frame() {
    return html`${this.#data()}
      <p class="note">Every frame of a client without a subprotocol is the event <code>message</code>.</p>`;
  }

  #action() {
    const { id: kind, named, hasData, hasExtras } = actionFor(this.#client, this.#form.kind);
    return html`
      <label for="kind">Action</label>
      <select id="kind" name="kind">
        ${actionsOf(this.#client).map(({ id, words }) => html`<option value=${id} .selected=${id === kind}>${words}</option>`)}
      </select>
      <label for="send-name">${named}</label>
      <input
        id="send-name"
        name="name"
        .value=${this.#form.name}
        maxlength="1024"
        spellcheck="false"
        autocomplete="off"
        autocapitalize="off"
        placeholder=${named === "Group" ? "room" : "message"}
        list="known-groups"
      />
      <datalist id="known-groups">
        ${named === "Group" ? [...this.#client.joined].map((group) => html`<option value=${group}></option>`) : ""}
      </datalist>
      ${hasData ? this.#data(kind) : ""} ${hasExtras || kind === "stream" ? this.#more(kind, hasExtras) : ""}
    `;
  }

  #data(kind = "frame") {
    const { dataType, data } = this.#form;
    const types = [
      ["text", "Text"],
      ["json", "JSON"],
      ["binary", "Binary, in hexadecimal"],
    ];
    const ctrlEnter = (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form.requestSubmit();
    };
    return html`
      <label for="data-type">Type</label>
      <select id="data-type" name="dataType">
        ${types.map(([value, words]) => html`<option value=${value} .selected=${value === dataType}>${words}</option>`)}
      </select>
      <label for="data">Data</label>
      <textarea
        id="data"
        name="data"
        class="mono"
        rows="3"
        .value=${data}
        aria-describedby="send-hint"
        @keydown=${ctrlEnter}
      ></textarea>
      <p class="note" id="send-hint">
        <kbd>Ctrl</kbd> <kbd>Enter</kbd> sends.${kind === "stream" ? " Each line is one piece of the stream." : ""}
      </p>
    `;
  }

  #more(kind, hasExtras) {
    const { noEcho, fireAndForget, ackId, ttl, metadata } = this.#form;
    const toGroup = kind === "group" || kind === "stream";
    return html`<details>
      <summary>More</summary>
      ${
        toGroup && !this.#client.isMqtt
          ? html`<label class="tick"
            ><input type="checkbox" name="noEcho" .checked=${noEcho} /><span>Not back to me</span></label
          >`
          : ""
      }
      ${
        hasExtras
          ? html`
            <label class="tick"
              ><input type="checkbox" name="fireAndForget" .checked=${fireAndForget} /><span
                >Without an ack</span
              ></label
            >
            <div class="pair">
              <div ?hidden=${this.#client.isMqtt}>
                <label for="ack-id">Ack id <span class="optional">optional</span></label>
                <input id="ack-id" name="ackId" inputmode="numeric" .value=${ackId} autocomplete="off" />
              </div>
              ${
                kind === "group"
                  ? html`<div>
                    <label for="ttl">Seconds to live</label>
                    <input id="ttl" name="ttl" inputmode="numeric" .value=${ttl} autocomplete="off" />
                  </div>`
                  : ""
              }
            </div>
            <label for="metadata">Metadata <span class="optional">one a line</span></label>
            <textarea
              id="metadata"
              name="metadata"
              class="mono"
              rows="2"
              .value=${metadata}
              placeholder="name: value"
              spellcheck="false"
            ></textarea>
          `
          : ""
      }
    </details>`;
  }

  #groups() {
    const { joined, isBare } = this.#client;
    if (isBare) return "";
    if (joined.size === 0) return html`<p class="note" id="no-groups">You have joined no group yet.</p>`;
    const leave = (name) => this.#do({ ...newForm(), kind: "leave", name });
    return html`<ul class="chips" id="joined" aria-label="Groups you have joined">
      ${[...joined].map(
        (group) =>
          html`<li class="chip">
            <span title=${group}>${group}</span>
            <button type="button" aria-label="Leave ${group}" aria-disabled=${!this.#isReady} @click=${() => leave(group)}>×</button>
          </li>`,
      )}
    </ul>`;
  }
}
