// The fields of one event handler, its place in the order, and how a test of it went.
import { html } from "lit-html";
import { takeInto } from "../parts/form.js";
import { presenceEvents, previewOf, systemEvents } from "./handler.js";

/**
 * @param {{
 *   hub: string, fields: any, index: number, count: number, isTestable: boolean, test: any,
 *   changed: () => void, move: (by: number) => void, remove: () => void, runTest: () => void,
 * }} view
 */
export function handlerView(view) {
  const { fields, index, count, isTestable, changed, move, remove, runTest } = view;
  const id = `handler-${index}`;
  const number = index + 1;
  const moveButton = (where, arrow, isLast, run) =>
    html`<button
      type="button"
      class="small"
      id="${id}-${where}"
      aria-label="Move handler ${number} ${where}"
      aria-disabled=${isLast}
      @click=${run}
    >
      ${arrow}
    </button>`;
  return html`<li class="handler">
    <fieldset @input=${takeInto(fields, changed)}>
      <legend>Event handler ${number}</legend>
      <div class="tools">
        ${moveButton("up", "↑", index === 0, () => move(-1))}
        ${moveButton("down", "↓", index === count - 1, () => move(1))}
        <button type="button" class="small" aria-label="Test handler ${number}" aria-disabled=${!isTestable} @click=${runTest}>Test</button>
        <button type="button" class="small" aria-label="Remove handler ${number}" @click=${remove}>Remove</button>
        ${isTestable ? "" : html`<span class="note">Save before you test.</span>`}
      </div>
      <label for="${id}-url">URL template</label>
      <input
        id="${id}-url"
        name="urlTemplate"
        class="mono"
        inputmode="url"
        .value=${fields.urlTemplate}
        spellcheck="false"
        autocomplete="off"
        placeholder="https://example.com/{hub}/{event}"
        aria-describedby="${id}-preview"
      />
      ${preview(view, id)}
      <div class="pair">
        <div>
          <label for="${id}-users">User events</label>
          <select id="${id}-users" name="users">
            ${[
              ["all", "All"],
              ["some", "Only these"],
              ["none", "None"],
            ].map(
              ([value, words]) => html`<option value=${value} .selected=${fields.users === value}>${words}</option>`,
            )}
          </select>
        </div>
        ${
          fields.users === "some"
            ? html`<div>
              <label for="${id}-names">Event names <span class="optional">commas between</span></label>
              <input id="${id}-names" name="names" .value=${fields.names} spellcheck="false" autocomplete="off" />
            </div>`
            : ""
        }
      </div>
      <fieldset class="ticks">
        <legend>System events</legend>
        <div class="ticks-row">${systemEvents.map((name) => tick(fields, name))}</div>
      </fieldset>
      <fieldset class="ticks">
        <legend>Group presence events</legend>
        <div class="ticks-row">${presenceEvents.map((name) => tick(fields, name))}</div>
      </fieldset>
      ${
        fields.joined || fields.left
          ? html`<label for="${id}-filters"
              >Only in these groups <span class="optional">names or patterns, one a line; all if there is none</span></label
            >
            <textarea
              id="${id}-filters"
              name="groupFilters"
              class="mono"
              rows="2"
              .value=${fields.groupFilters}
              spellcheck="false"
            ></textarea>`
          : ""
      }
      ${auth(fields, id)}
    </fieldset>
    ${testResult(view.test)}
  </li>`;
}

const tick = (fields, name) =>
  html`<label class="tick"><input type="checkbox" name=${name} .checked=${fields[name]} /><span>${name}</span></label>`;

function preview({ fields, hub }, id) {
  const urls = previewOf(fields, hub);
  const distinct = urls.filter(([, url], at) => urls.findIndex(([, other]) => other === url) === at);
  return html`<div class="note" id="${id}-preview">
    ${
      fields.urlTemplate.trim() === ""
        ? ""
        : urls.length === 0
          ? "It takes no event yet."
          : distinct.map(
              ([event, url]) => html`<p>${distinct.length > 1 ? html`<b>${event}</b>: ` : ""}<code>${url}</code></p>`,
            )
    }
  </div>`;
}

function auth(fields, id) {
  const kinds = [
    ["none", "The signature alone"],
    ["Bearer", "Bearer token"],
    ["Header", "Header"],
  ];
  return html`<div class="pair">
    <div>
      <label for="${id}-auth">Authentication of the service</label>
      <select id="${id}-auth" name="auth">
        ${kinds.map(([value, words]) => html`<option value=${value} .selected=${fields.auth === value}>${words}</option>`)}
      </select>
    </div>
    ${
      fields.auth === "Header"
        ? html`<div>
          <label for="${id}-header">Header name</label>
          <input id="${id}-header" name="headerName" .value=${fields.headerName} spellcheck="false" autocomplete="off" />
        </div>`
        : ""
    }
    ${
      fields.auth === "none"
        ? ""
        : html`<div>
          <label for="${id}-credential">${fields.isSecret ? "Name of the secret" : "Value"}</label>
          <input
            id="${id}-credential"
            name="credential"
            type=${fields.isSecret ? "text" : "password"}
            .value=${fields.credential}
            placeholder=${fields.isSecret ? "HANDLER_SECRET_…" : ""}
            spellcheck="false"
            autocomplete="off"
          />
          <label class="tick"
            ><input type="checkbox" name="isSecret" .checked=${fields.isSecret} /><span>The name of a secret of the service</span></label
          >
        </div>`
    }
  </div>`;
}

/** What the service found when it asked the handler. */
function testResult(test) {
  if (!test) return "";
  return html`<div class="test" role="status">
    ${test.steps.map(
      ({ step, ok, status, error, result }) =>
        html`<p>
          <span class="badge" data-tone=${ok ? "live" : "lost"}>${step === "validation" ? "Handshake" : "Sample event"}</span>
          ${status ? html`<code>${status}</code>` : ""} ${error ? html`<code>${error}</code>` : ""} ${result}
        </p>`,
    )}
    <p class="note">${test.note}</p>
  </div>`;
}
