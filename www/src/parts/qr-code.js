// A QR code as an image that the page draws itself.
import { svg, html } from "lit-html";
import { encode } from "uqr";

/** Draws a text, with four modules of white around it as readers want; `label` says what it is for those who do not see it. */
export function qrCode(text, label) {
  const { size, data } = encode(text, { ecc: "L", border: 4 });
  const dark = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")));
  return html`<svg class="qr" role="img" aria-label=${label} viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">
    ${svg`<rect width=${size} height=${size} fill="#fff" /><path d=${dark.join("")} fill="#000" />`}
  </svg>`;
}
