import { WebPubSubClient, WebPubSubJsonProtocol } from "/client/browser.js";
import { shareStatus, statusOf } from "./status.js";

/** @typedef {{ connectionId: string, userId?: string }} Member */

const GROUP = "office";

const form = /** @type {HTMLFormElement} */ (document.getElementById("enter"));
const office = /** @type {HTMLElement} */ (document.getElementById("office"));
const count = /** @type {HTMLElement} */ (document.getElementById("count"));
const list = /** @type {HTMLElement} */ (document.getElementById("members"));
const connection = /** @type {HTMLElement} */ (document.getElementById("connection"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));

/** @type {Member[]} */
let members = [];
/** @type {string | undefined} */
let ownId;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.textContent = "";
  form.hidden = true;
  const client = clientFor(String(new FormData(form).get("name")).trim());
  try {
    await client.start();
  } catch (error) {
    form.hidden = false;
    complain("The office cannot be reached", error);
  }
});

/** @param {string} name */
function clientFor(name) {
  const client = new WebPubSubClient(
    { getClientAccessUrl: () => clientUrl(name) },
    {
      // Not the reliable protocol: with that one, whoever closes the page stays for a minute, in which it might come back.
      protocol: WebPubSubJsonProtocol(),
      // Each new connection comes in below.
      autoRejoinGroups: false,
    },
  );
  client.on("connected", async ({ connectionId, userId }) => {
    ownId = connectionId;
    connection.textContent = `Connected as ${userId}`;
    try {
      // The service sends the server an event, and the server publishes who is there.
      await client.joinGroup(GROUP);
      await shareStatus(client, GROUP, render);
      office.hidden = false;
    } catch (error) {
      complain("You could not come in", error);
    }
  });
  client.on("group-message", ({ message }) => {
    if (message.group !== GROUP) return;
    ({ members } = /** @type {{ members: Member[] }} */ (message.data));
    render();
  });
  client.on("disconnected", () => {
    connection.textContent = "Reconnecting…";
  });
  client.on("stopped", () => {
    connection.textContent = "Not connected";
    office.hidden = true;
    form.hidden = false;
  });
  return client;
}

function render() {
  count.textContent = members.length === 1 ? "1 person is here" : `${members.length} people are here`;
  list.replaceChildren(
    ...members.map(({ connectionId, userId }) => {
      const item = document.createElement("li");
      const status = document.createElement("span");
      status.className = "quiet";
      status.textContent = statusOf(connectionId);
      item.append(userId ?? "somebody", connectionId === ownId ? " (you) " : " ", status);
      return item;
    }),
  );
}

/** @param {string} name */
async function clientUrl(name) {
  const response = await fetch(`/negotiate?${new URLSearchParams({ name })}`);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  /** @type {{ url: string }} */
  const { url } = await response.json();
  return url;
}

/**
 * @param {string} what
 * @param {unknown} error
 */
function complain(what, error) {
  problem.textContent = `${what}: ${error instanceof Error ? error.message : error}`;
}
