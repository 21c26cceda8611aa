// A table that scrolls by itself where it is too wide, and is reached by the keyboard for that.
import { html } from "lit-html";

/**
 * `columns` are the words of the head; one that begins with `#` is of numbers.
 *
 * @param {string} caption what the table is of, for those who do not see what is around it
 * @param {string[]} columns
 * @param {unknown} rows
 */
export const table = (
  caption,
  columns,
  rows,
) => html`<div class="table" tabindex="0" role="group" aria-label=${caption}>
  <table>
    <caption class="visually-hidden">${caption}</caption>
    <thead>
      <tr>
        ${columns.map((words) => html`<th scope="col" class=${words[0] === "#" ? "number" : ""}>${words.replace("#", "")}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>
</div>`;
