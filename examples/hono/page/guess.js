import { WebPubSubClient } from "@webpubsub-edge/client";

/** @typedef {{ guess: number, hint: "higher" | "lower" | "right", tries: number }} Answer */

const form = /** @type {HTMLFormElement} */ (document.getElementById("form"));
const guess = /** @type {HTMLInputElement} */ (document.getElementById("guess"));
const answers = /** @type {HTMLElement} */ (document.getElementById("answers"));
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));

const WORDS = { higher: "The number is higher.", lower: "The number is lower." };

const client = new WebPubSubClient({ getClientAccessUrl });
client.on("connected", () => {
  // A new connection has a new number.
  answers.replaceChildren();
  setStatus("Connected");
});
client.on("recovering", () => setStatus("Reconnecting…"));
client.on("recovered", () => setStatus("Connected"));
client.on("disconnected", () => setStatus("Reconnecting…"));
client.on("stopped", () => setStatus("Not connected"));
client.on("server-message", ({ message }) => show(/** @type {Answer} */ (message.data)));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.textContent = "";
  try {
    // Done when the Worker has answered. The answer arrives before that, as a message of the server's.
    await client.sendEvent("guess", { guess: guess.valueAsNumber }, "json");
    guess.select();
  } catch (error) {
    complain("The guess was not answered", error);
  }
});

try {
  await client.start();
} catch (error) {
  complain("No connection", error);
}

/** A URL with a token in it, good for an hour. It is asked for again for each new connection. */
async function getClientAccessUrl() {
  const response = await fetch("/negotiate");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  /** @type {{ url: string }} */
  const { url } = await response.json();
  return url;
}

/** @param {Answer} answer */
function show({ guess, hint, tries }) {
  const item = document.createElement("li");
  const words =
    hint === "right" ? `Right, after ${tries} ${tries === 1 ? "try" : "tries"}. Here is another.` : WORDS[hint];
  item.textContent = `${guess}: ${words}`;
  answers.prepend(item);
}

/**
 * @param {string} what
 * @param {unknown} error
 */
function complain(what, error) {
  problem.textContent = `${what}: ${error instanceof Error ? error.message : error}`;
}

/** @param {string} words */
function setStatus(words) {
  status.textContent = words;
}
