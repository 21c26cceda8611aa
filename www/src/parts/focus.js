// Where the focus goes when what has it is taken away: near to where it was, and not to the top of the page.

/** Draws, and moves a focus that was lost by it to what is around: a list that has the focus itself, or a heading. */
export function keepFocus(draw) {
  const focused = document.activeElement;
  const around = [];
  for (let at = focused?.parentElement; at; at = at.parentElement) around.push(at);
  draw();
  if (!focused || focused === document.body || isThere(focused)) return;
  const near = around.filter((one) => one.isConnected).map(focusable);
  (near.find(Boolean) ?? document.querySelector("h1"))?.focus();
}

/** Focuses what has this id once it is drawn. */
export const focusSoon = (id) => requestAnimationFrame(() => document.getElementById(id)?.focus());

const isThere = (element) => element.isConnected && element.checkVisibility() && !element.matches(":disabled");

function focusable(part) {
  if (part.tabIndex === 0) return part;
  const heading = part.matches("section, main") ? part.querySelector("h1, h2") : undefined;
  if (heading) heading.tabIndex = -1;
  return heading;
}
