// Which events a hub's handlers take, as far as a page has to say it in words.

/** Whether a handler takes a user's event with this name. */
export function takes({ userEventPattern = "" }, event) {
  const names = userEventPattern.split(",").map((name) => name.trim().toLowerCase());
  return names.includes("*") || names.includes(event.toLowerCase());
}

/** Why an event had no answer, where that is because no handler takes it. */
export function whyUntaken(hub, handlers, event) {
  if (handlers.some((handler) => takes(handler, event))) return undefined;
  return handlers.length === 0
    ? `The hub ${hub} has no event handler, so no server takes the event "${event}".`
    : `None of the ${handlers.length} event handlers of the hub ${hub} takes the event "${event}".`;
}
