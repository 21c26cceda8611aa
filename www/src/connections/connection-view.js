// One connection: what it is and may do, and what an operator can do to it.
import { html } from "lit-html";
import { Attempt } from "../parts/attempt.js";
import { submit, takeInto } from "../parts/form.js";
import { sizeInWords } from "../parts/words.js";
import { connectionOf } from "../service/connections.js";

export class ConnectionView {
  #app;
  #hub;
  #id;
  #connection;
  #form = { group: "", text: "Hello World", reason: "" };
  #said = "";
  #changed;
  #leave;
  #doing;

  /** `changed(isClosed)` is called when something was done to the connection, `leave()` to go back to the list. */
  constructor(app, hub, id, { changed, leave }) {
    this.#app = app;
    this.#hub = hub;
    this.#id = id;
    this.#changed = changed;
    this.#leave = leave;
    this.#doing = new Attempt(app.update);
  }

  async load() {
    await this.#doing.run(async () => {
      this.#connection = await connectionOf(this.#app.access, this.#hub, this.#id);
    });
  }

  /** Asks the REST API for something about this connection. */
  async #do(method, path, said, options) {
    if (this.#doing.isBusy) return;
    const isClose = method === "DELETE" && path === this.#path;
    this.#said = "";
    await this.#doing.run(async () => {
      await this.#app.access.request(method, `/api/hubs/${encodeURIComponent(this.#hub)}${path}`, options);
      this.#said = said;
      if (!isClose) this.#connection = await connectionOf(this.#app.access, this.#hub, this.#id);
    });
    if (!this.#doing.problem) await this.#changed(isClose);
  }

  async #add(group) {
    this.#said = "";
    if (group.trim() === "")
      return this.#doing.run(() => Promise.reject(new Error("Which group? Type its name first.")));
    await this.#do("PUT", this.#member(group), `Added to ${group}.`);
  }

  get #path() {
    return `/connections/${encodeURIComponent(this.#id)}`;
  }

  #member(group) {
    return `/groups/${encodeURIComponent(group)}${this.#path}`;
  }

  render() {
    return html`<section class="card" aria-labelledby="open-title">
      <div class="card-head">
        <h2 id="open-title" tabindex="-1">Connection ${this.#id}</h2>
        <button type="button" class="small" @click=${this.#leave}>Back to the list</button>
      </div>
      ${this.#doing.render()} ${this.#connection ? this.#shown(this.#connection) : ""}
    </section>`;
  }

  #shown(connection) {
    const { userId, subprotocol, isAttached, unacknowledged, unacknowledgedBytes, unreadBytes, waitingFrames } =
      connection;
    return html`
      <dl class="facts">
        ${fact("User", userId ?? "none")} ${fact("Protocol", subprotocol ?? "none")}
        ${fact("Socket", isAttached ? "open" : "lost; it can be recovered")}
        ${fact("Unacknowledged", `${unacknowledged} messages, ${sizeInWords(unacknowledgedBytes)}`)}
        ${fact("Unread", sizeInWords(unreadBytes))} ${fact("Frames that wait", waitingFrames)}
        ${fact("May send to", permissionInWords(connection.permissions.sendToGroup))}
        ${fact("May join and leave", permissionInWords(connection.permissions.joinLeaveGroup))}
      </dl>
      <h3>Groups</h3>
      ${connection.groups.length === 0 ? html`<p class="note">It is in no group.</p>` : ""}
      <ul class="chips" aria-label="Groups of the connection">
        ${connection.groups.map(
          (group) =>
            html`<li class="chip">
              <span title=${group}>${group}</span>
              <button
                type="button"
                aria-label="Take it out of ${group}"
                @click=${() => this.#do("DELETE", this.#member(group), `Taken out of ${group}.`)}
              >
                ×
              </button>
            </li>`,
        )}
      </ul>
      <div @input=${takeInto(this.#form, this.#app.update)}>
        ${this.#row("group", "Add it to a group", "Add", () => this.#add(this.#form.group))}
        ${this.#row("text", "Send it a text", "Send", () =>
          this.#do("POST", `${this.#path}/:send`, "Sent.", {
            headers: { "content-type": "text/plain" },
            body: this.#form.text,
          }),
        )}
        ${this.#row("reason", "Close it, with this reason", "Close", () =>
          this.#do("DELETE", this.#path, "Closed.", {
            query: this.#form.reason ? [["reason", this.#form.reason]] : [],
          }),
        )}
      </div>
      <p class="note" role="status">${this.#said}</p>
    `;
  }

  #row(name, words, verb, work) {
    return html`<form novalidate @submit=${submit(work)}>
      <label for="open-${name}">${words}</label>
      <div class="with-button">
        <input id="open-${name}" name=${name} .value=${this.#form[name]} autocomplete="off" spellcheck="false" />
        <button type="submit" aria-disabled=${this.#doing.isBusy}>${verb}</button>
      </div>
    </form>`;
  }
}

const fact = (name, value) =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;

/** What single grants and roles come to, in a sentence. */
function permissionInWords({ all, patterns, allowed, denied }) {
  const except = denied.length > 0 ? `, except ${denied.join(", ")}` : "";
  if (all) return `every group${except}`;
  const some = [...allowed, ...patterns.map((pattern) => `those like ${pattern}`)];
  return some.length > 0 ? `${some.join(", ")}${except}` : "no group";
}
