// The REST API of application servers: every operation to call, and the same as a program.
import { html } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { Attempt } from "../parts/attempt.js";
import { code } from "../parts/code.js";
import { FilterPreview } from "../parts/filter-preview.js";
import { submit } from "../parts/form.js";
import { tabs } from "../parts/tabs.js";
import { checkValues, operationsOf, requestOf } from "../service/operations.js";
import { request } from "../service/request.js";
import { curlFor, javascriptFor, pythonFor } from "../service/sdk-lines.js";

const FIRST = "WebPubSub_SendToAll";

/** Parameters that are not asked for: the newest version is what the document describes. */
const HIDDEN = new Set(["api-version"]);

/** Operations that end or replace what no other operation brings back. */
const DRASTIC = /_(?:Close|Delete|Change|Regenerate|Rotate)/;

export class ServerApi {
  #app;
  #operations = [];
  #chosen;
  /** The operation that was asked for last, which is shown once it is known which there are. */
  #wanted = FIRST;
  /** Values of parameters, kept from one operation to the next. */
  #values = { hub: "myHub1" };
  #type = "";
  #body = "";
  #answer;
  #line = "curl";
  #preview;
  #loading;
  #sending;

  constructor(app) {
    this.#app = app;
    this.#loading = new Attempt(app.update);
    this.#sending = new Attempt(app.update);
    this.#preview = new FilterPreview(app);
  }

  async enter(id) {
    if (id) this.#wanted = id;
    if (this.#operations.length === 0) {
      await this.#loading.renew(async () => {
        this.#operations = operationsOf((await request("GET", "/api/openapi.json")).json);
      });
    }
    this.#choose(this.#wanted);
  }

  #choose(id) {
    this.#wanted = id;
    const chosen = this.#operations.find((operation) => operation.id === id) ?? this.#operations[0];
    if (!chosen || chosen === this.#chosen) return;
    this.#chosen = chosen;
    this.#type = chosen.contentTypes[0] ?? "";
    this.#body = chosen.example ?? { "application/json": "{}", "text/plain": "Hello World" }[this.#type] ?? "";
    this.#answer = undefined;
    this.#sending.problem = "";
    this.#app.update();
  }

  async #send() {
    const operation = this.#chosen;
    const isShown = () => this.#chosen === operation;
    await this.#sending.run(async () => {
      this.#answer = undefined;
      checkValues(operation, this.#values);
      const { path, query } = requestOf(operation, this.#values);
      if (DRASTIC.test(operation.id) && !confirm(`${operation.method} ${path} cannot be undone. Send it?`)) return;
      const answer = await this.#app.access
        .request(operation.method, path, {
          query,
          anyStatus: true,
          ...(this.#type && { headers: { "content-type": this.#type }, body: this.#bodyToSend() }),
        })
        .catch((error) => {
          if (isShown()) throw error;
        });
      if (answer?.status === 202) this.#app.progress.reach("published");
      // It says nothing about another operation, which may be shown by now.
      if (isShown()) this.#answer = answer;
    });
  }

  /** Binary bodies are written in hexadecimal. */
  #bodyToSend() {
    if (this.#type !== "application/octet-stream") return this.#body;
    const digits = this.#body.replace(/\s+/g, "");
    if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new Error("A binary body is bytes in hexadecimal, such as 00 ff.");
    return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  }

  render() {
    if (!this.#chosen)
      return html`${this.#loading.render(() => this.enter())}
        ${this.#loading.isBusy ? html`<p class="note">Loading …</p>` : ""}`;
    return html`<div class="columns">
      <section class="card" aria-labelledby="operation-title">
        <h2 id="operation-title">Call an operation</h2>
        ${this.#form(this.#chosen)}
      </section>
      <div class="stack">${this.#result()} ${this.#lines(this.#chosen)}</div>
    </div>`;
  }

  #form(operation) {
    const groups = [...new Set(this.#operations.map(({ group }) => group))];
    return html`<form novalidate @submit=${submit(() => this.#send())}>
      <label for="operation">Operation</label>
      <select id="operation" @change=${({ target }) => this.#choose(target.value)}>
        ${groups.map(
          (group) =>
            html`<optgroup label=${group}>
              ${this.#operations
                .filter((one) => one.group === group)
                .map(
                  ({ id, summary }) => html`<option value=${id} .selected=${id === operation.id}>${summary}</option>`,
                )}
            </optgroup>`,
        )}
      </select>
      <p class="note"><b>${operation.method}</b> <code>${operation.path}</code></p>
      ${operation.parameters.filter(({ name }) => !HIDDEN.has(name)).map((parameter) => keyed(parameter.name, this.#parameter(parameter)))}
      ${operation.contentTypes.length > 0 ? this.#bodyFields(operation) : ""}
      <div class="actions">
        <button type="submit" class="primary" aria-disabled=${this.#sending.isBusy}>Send the request</button>
      </div>
      ${this.#sending.render()}
    </form>`;
  }

  #parameter({ name, isRequired, isList, choices, about }) {
    const id = `parameter-${name}`;
    const value = this.#values[name] ?? "";
    const type = ({ target }) => {
      this.#values[name] = target.value;
      this.#app.update();
    };
    const optional = isRequired ? "" : html` <span class="optional">optional${isList ? ", one a line" : ""}</span>`;
    const control = choices
      ? html`<select id=${id} @change=${type}>
          <option value="" .selected=${value === ""}></option>
          ${choices.map((choice) => html`<option value=${choice} .selected=${choice === value}>${choice}</option>`)}
        </select>`
      : isList || name === "filter"
        ? html`<textarea id=${id} class="mono" rows="2" .value=${value} spellcheck="false" @input=${type}></textarea>`
        : html`<input id=${id} .value=${value} spellcheck="false" autocomplete="off" autocapitalize="off" @input=${type} />`;
    return html`<label for=${id}>${name}${optional}</label>
      ${control} ${about ? html`<p class="note">${about}</p>` : ""} ${name === "filter" ? this.#matching() : ""}`;
  }

  /** Which connections the operation would reach. */
  #matching() {
    const { hub = "", filter = "", userId = "", group = "" } = this.#values;
    const { path } = this.#chosen;
    this.#preview.look(hub, {
      filter,
      ...(path.includes("{userId}") && { userId }),
      ...(path.includes("{group}") && { group }),
    });
    return this.#preview.render();
  }

  #bodyFields({ contentTypes }) {
    return html`
      <label for="content-type">Content type</label>
      <select
        id="content-type"
        @change=${({ target }) => {
          this.#type = target.value;
          this.#app.update();
        }}
      >
        ${contentTypes.map((type) => html`<option value=${type} .selected=${type === this.#type}>${type}</option>`)}
      </select>
      <label for="body">Body${this.#type === "application/octet-stream" ? " in hexadecimal" : ""}</label>
      <textarea
        id="body"
        class="mono"
        rows="4"
        .value=${this.#body}
        spellcheck="false"
        @input=${({ target }) => {
          this.#body = target.value;
          this.#app.update();
        }}
      ></textarea>
    `;
  }

  #result() {
    const answer = this.#answer;
    return html`<section class="card" aria-labelledby="answer-title">
      <h2 id="answer-title">Answer</h2>
      <div role="status">
        ${
          answer
            ? html`<p>
              <span class="badge" data-tone=${answer.status < 400 ? "live" : "lost"}>${answer.status}</span> after
              ${Math.max(1, Math.round(answer.durationMs))} ms. ${meaning(this.#chosen, answer.status)}
            </p>`
            : html`<p class="empty">${this.#sending.isBusy ? "Waiting for it …" : "None yet."}</p>`
        }
      </div>
      ${answer?.text ? code(pretty(answer), "the answer's body") : ""}
      ${
        answer
          ? html`<details>
            <summary>Headers</summary>
            ${code(answer.headers.map(([name, value]) => `${name}: ${value}`).join("\n"), "the answer's headers")}
          </details>`
          : ""
      }
    </section>`;
  }

  #lines(operation) {
    const asked = requestOf(operation, this.#values);
    const content = { type: this.#type, body: this.#body };
    /** @type {[id: string, words: string, text?: string][]} */
    const all = [
      ["curl", "curl", curlFor(operation, asked, content, location.origin)],
      ["javascript", "JavaScript", javascriptFor(operation, this.#values, content)],
      ["python", "Python", pythonFor(operation, this.#values, content)],
    ];
    const forms = all.filter(([, , text]) => text);
    const [id, words, text] = forms.find(([form]) => form === this.#line) ?? forms[0];
    return html`<section class="card" aria-labelledby="lines-title">
      <h2 id="lines-title">The same as a program</h2>
      ${tabs({
        label: "Languages",
        items: forms.map(([form, name]) => ({ id: form, words: name })),
        selected: id,
        panel: "lines",
        select: (form) => {
          this.#line = form;
          this.#app.update();
        },
      })}
      <div id="lines" role="tabpanel" aria-labelledby="lines-${id}">${code(text, `the call with ${words}`)}</div>
    </section>`;
  }
}

/** What a status without a body says. */
function meaning({ method }, status) {
  if (method !== "HEAD") return status === 202 ? "It is on its way." : "";
  return { 200: "It is there.", 404: "It is not there." }[status] ?? "";
}

const pretty = ({ text, json }) => (json === undefined ? text : JSON.stringify(json, null, 2));
