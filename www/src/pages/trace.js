// The live trace: what a hub's shards do, as it happens.
import { html, nothing } from "lit-html";
import { Attempt } from "../parts/attempt.js";
import { submit, takeInto } from "../parts/form.js";
import { FrameLog } from "../playground/frame-log.js";
import { LogView } from "../playground/log-view.js";
import { describeRecord } from "../trace/record.js";
import { Watch } from "../trace/watch.js";

const FIELDS = [
  ["connectionId", "Connection"],
  ["userId", "User"],
  ["group", "Group"],
];

export class Trace {
  #app;
  #hubs = [];
  #form = { hub: "", connectionId: "", userId: "", group: "", payloads: false };
  #watch;
  #log;
  #view;
  #listing;
  #starting;

  constructor(app) {
    this.#app = app;
    this.#listing = new Attempt(app.update);
    this.#starting = new Attempt(app.update);
    this.#log = new FrameLog(app.update);
    this.#view = new LogView(app, this.#log, {
      title: "What happens",
      noun: "record",
      empty: "Nothing yet. What clients, servers and event handlers do from now on appears here.",
      file: "trace.jsonl",
    });
  }

  async enter(hub) {
    if (!this.#app.access.isSignedIn) return this.#stop();
    if (hub) this.#form.hub = hub;
    await this.#listing.renew(async () => {
      this.#hubs = (await this.#app.access.request("GET", "/management/hubs")).json.hubs;
      this.#form.hub ||= this.#hubs[0] ?? "";
    });
  }

  /** Nothing is watched while no one looks. */
  leave() {
    this.#stop();
  }

  #start() {
    this.#stop();
    const { hub, payloads, ...conditions } = this.#form;
    if (hub.trim() === "") throw new Error("Which hub? Type its name first.");
    const asked = Object.fromEntries(Object.entries(conditions).filter(([, value]) => value.trim() !== ""));
    const { access } = this.#app;
    this.#watch = new Watch(
      access,
      hub.trim(),
      { ...asked, ...(payloads && { payloads: "1" }) },
      {
        record: (record, shard) => this.#log.add(describeRecord(record, shard)),
        changed: this.#app.update,
      },
    );
    this.#app.update();
  }

  #stop() {
    this.#watch?.stop();
    this.#watch = undefined;
    this.#app.update();
  }

  render() {
    return html`
      <section class="card" aria-labelledby="watch-title">
        <div class="card-head">
          <h2 id="watch-title">Watch a hub</h2>
          <p class="badge" role="status" data-tone=${this.#watch?.open ? "live" : this.#watch ? "waiting" : "idle"}>
            ${this.#inWords()}
          </p>
        </div>
        <form novalidate @input=${takeInto(this.#form, this.#app.update)} @submit=${submit(() => this.#starting.run(async () => this.#start()))}>
          <div class="pair">
            <div>
              <label for="trace-hub">Hub</label>
              <input
                id="trace-hub"
                name="hub"
                list="trace-hubs"
                .value=${this.#form.hub}
                spellcheck="false"
                autocomplete="off"
              />
              <datalist id="trace-hubs">${this.#hubs.map((hub) => html`<option value=${hub}></option>`)}</datalist>
            </div>
            ${FIELDS.map(
              ([name, words]) =>
                html`<div>
                  <label for="trace-${name}">${words} <span class="optional">optional</span></label>
                  <input
                    id="trace-${name}"
                    name=${name}
                    .value=${this.#form[name]}
                    spellcheck="false"
                    autocomplete="off"
                  />
                </div>`,
            )}
          </div>
          <label class="tick"
            ><input type="checkbox" name="payloads" .checked=${this.#form.payloads} /><span
              >With the first 1,024 bytes of each message</span
            ></label
          >
          <div class="actions">
            <button type="submit" class="primary">${this.#watch ? "Start again" : "Start"}</button>
            <button type="button" aria-disabled=${!this.#watch} @click=${() => this.#stop()}>Stop</button>
            ${this.#omitted()}
          </div>
        </form>
        ${this.#starting.render()} ${this.#listing.render()}
        <p class="problem" role="alert">${this.#watch?.problem || nothing}</p>
      </section>
      ${this.#view.render()}
    `;
  }

  #inWords() {
    const watch = this.#watch;
    if (!watch) return "Not watching";
    if (watch.open === 0) return "Connecting …";
    return watch.wanted > 1 ? `Watching ${watch.open} of ${watch.wanted} shards` : "Watching";
  }

  /** It grows all the time under load, and is no status that is read out. */
  #omitted() {
    const count = this.#watch?.omitted ?? 0;
    return count > 0 ? html`<span class="note">${count.toLocaleString()} records left out under load</span>` : "";
  }
}
