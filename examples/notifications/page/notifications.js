import { WebPubSubClient } from "@webpubsub-edge/client";

/** @typedef {{ text: string, at: string }} Notification */

const MOST_SHOWN = 50;

const list = /** @type {HTMLElement} */ (document.getElementById("notifications"));
const none = /** @type {HTMLElement} */ (document.getElementById("none"));
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));

const user = new URLSearchParams(location.search).get("user") ?? "";

// A connection that is lost is recovered, and what was sent meanwhile arrives then.
const client = new WebPubSubClient({ getClientAccessUrl });
client.on("connected", ({ userId }) => setStatus(`Connected as ${userId}`));
client.on("recovering", () => setStatus("Reconnecting…"));
client.on("recovered", () => setStatus(`Connected as ${user}`));
client.on("disconnected", () => setStatus("Reconnecting…"));
client.on("stopped", () => setStatus("Not connected"));
client.on("server-message", ({ message }) => show(/** @type {Notification} */ (message.data)));

try {
  await client.start();
} catch (error) {
  problem.textContent = `No connection: ${error instanceof Error ? error.message : error} Reload the page to try again.`;
}

/** A URL with a token in it, good for an hour. It is asked for again for each new connection. */
async function getClientAccessUrl() {
  const response = await fetch(`/negotiate?${new URLSearchParams({ user })}`);
  if (!response.ok) throw new Error(`the server answered ${response.status}.`);
  /** @type {{ url: string }} */
  const { url } = await response.json();
  return url;
}

/**
 * The newest first. What was sent is text, and never markup.
 * @param {Notification} notification
 */
function show({ text, at }) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.dateTime = at;
  time.textContent = new Date(at).toLocaleTimeString();
  item.append(time, " ", text);
  list.prepend(item);
  while (list.children.length > MOST_SHOWN) list.lastElementChild?.remove();
  none.hidden = true;
}

/** @param {string} words */
function setStatus(words) {
  status.textContent = words;
}
