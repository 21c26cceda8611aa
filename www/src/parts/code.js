// A block of text to copy: a line of a shell, a program, an answer.
import { html } from "lit-html";

/** `what` names it: "the connection string". */
export const code = (text, what) => html`
  <div class="code">
    <pre tabindex="0" role="region" aria-label=${capital(what)}><code>${text}</code></pre>
    <copy-button what=${what} .text=${text}></copy-button>
  </div>
`;

const capital = (text) => text[0].toUpperCase() + text.slice(1);
