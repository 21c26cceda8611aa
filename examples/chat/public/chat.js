import { WebPubSubClient } from "/client/browser.js";

const GROUP = "lobby";
const MOST_SHOWN = 200;

const enterForm = /** @type {HTMLFormElement} */ (document.getElementById("enter"));
const sendForm = /** @type {HTMLFormElement} */ (document.getElementById("send"));
const text = /** @type {HTMLInputElement} */ (document.getElementById("text"));
const room = /** @type {HTMLElement} */ (document.getElementById("room"));
const messages = /** @type {HTMLElement} */ (document.getElementById("messages"));
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));

/** @type {WebPubSubClient | undefined} */
let client;

enterForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.textContent = "";
  const name = String(new FormData(enterForm).get("name")).trim();
  try {
    setEntered(true);
    client = await enter(name);
    text.focus();
  } catch (error) {
    setEntered(false);
    problem.textContent = `The chat cannot be entered: ${words(error)}`;
  }
});

sendForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!client || text.value.trim() === "") return;
  problem.textContent = "";
  const sent = text.value;
  text.value = "";
  try {
    // Done when the service has taken it. Everyone in the group receives it, this page too.
    await client.sendToGroup(GROUP, sent, "text");
  } catch (error) {
    text.value ||= sent;
    problem.textContent = `The message was not sent: ${words(error)}`;
  }
});

/**
 * Connects, and joins the group. From then on the client keeps the connection by itself: it recovers one that was lost
 * without missing a message, or makes a new one and joins again.
 * @param {string} name
 */
async function enter(name) {
  const client = new WebPubSubClient({ getClientAccessUrl: () => clientUrl(name) });
  client.on("connected", ({ userId }) => setStatus(`Connected as ${userId}`));
  client.on("recovering", () => setStatus("Reconnecting…"));
  client.on("recovered", () => setStatus(`Connected as ${name}`));
  client.on("disconnected", ({ willReconnect }) => setStatus(willReconnect ? "Reconnecting…" : "Not connected"));
  client.on("stopped", () => setEntered(false));
  client.on("rejoin-group-failed", ({ error }) => {
    problem.textContent = `The chat cannot be entered again: ${words(error)}`;
  });
  client.on("group-message", ({ message }) => show(message.fromUserId, String(message.data)));
  try {
    setStatus("Connecting…");
    await client.start();
    await client.joinGroup(GROUP);
    return client;
  } catch (error) {
    client.stop();
    throw error;
  }
}

/**
 * A URL with a token in it, good for an hour. It is asked for again for each new connection.
 * @param {string} name
 */
async function clientUrl(name) {
  const response = await fetch(`/negotiate?${new URLSearchParams({ name })}`);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  /** @type {{ url: string }} */
  const { url } = await response.json();
  return url;
}

/**
 * What others write is text, and never markup.
 * @param {string} name
 * @param {string} words
 */
function show(name, words) {
  const now = new Date();
  const item = document.createElement("li");
  const author = document.createElement("strong");
  const time = document.createElement("time");
  author.textContent = name;
  time.textContent = now.toLocaleTimeString();
  time.dateTime = now.toISOString();
  item.append(author, " ", time, document.createElement("br"), words);
  messages.append(item);
  while (messages.children.length > MOST_SHOWN) messages.firstElementChild?.remove();
  item.scrollIntoView({ block: "nearest" });
}

/** @param {boolean} entered */
function setEntered(entered) {
  enterForm.hidden = entered;
  room.hidden = !entered;
  if (!entered) setStatus("Not connected");
}

/** @param {string} words */
function setStatus(words) {
  status.textContent = words;
}

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? error.message : String(error);
}
