// A strip of tabs over one panel, with the keys that such a strip has everywhere.
import { html } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { focusSoon } from "./focus.js";

/**
 * `items` have an `id` and `words`; `panel` is the panel's id.
 *
 * @param {{ label: string, items: { id: string, words: unknown }[], selected: string, panel: string, select: (id: string) => void }} strip
 */
export function tabs({ label, items, selected, panel, select }) {
  const move = (event) => {
    const at = items.findIndex(({ id }) => id === selected);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { id } = items[(to + items.length) % items.length];
    select(id);
    focusSoon(`${panel}-${id}`);
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} @keydown=${move}>
    ${repeat(
      items,
      ({ id }) => id,
      ({ id, words }) =>
        html`<button
          type="button"
          role="tab"
          id="${panel}-${id}"
          aria-selected=${String(id === selected)}
          aria-controls=${panel}
          tabindex=${id === selected ? 0 : -1}
          @click=${() => select(id)}
        >
          ${words}
        </button>`,
    )}
  </div>`;
}
