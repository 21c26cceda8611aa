// The page: what its controls do, and what it shows.
import { makeClientUrl, readClientUrl } from "./client-url.js";
import { element, Log, MAX_ROWS } from "./log.js";
import { Session } from "./session.js";
import { dataInWords, endInWords, errorInWords } from "./words.js";

const REMEMBERED = "webpubsub-edge.connection-string";
const $ = (id) => document.getElementById(id);
const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`).value;
const lines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

const joined = new Set();
let userId;
const asUser = () => (userId ? ` as ${userId}` : "");
const log = new Log($("messages"), (rows) => {
  $("no-messages").hidden = rows > 0;
  $("clear").disabled = rows === 0;
  $("message-count").textContent = rows < MAX_ROWS ? "" : `the last ${MAX_ROWS}`;
});
const note = (data) => log.add({ origin: "note", data });

const session = new Session({
  state: showState,
  message(origin, { group, fromUserId, dataType, data }) {
    log.add({ origin, group, user: fromUserId, dataType, data: dataInWords(dataType, data) });
  },
  rejoinFailed(group, error) {
    joined.delete(group);
    showGroups();
    note(`Could not join ${group} again. ${errorInWords(error)}`);
  },
});

/** What the six states of a session look like: a tone, words, and a line in the log. */
const states = {
  connecting: () => ["waiting", "Connecting …"],
  connected: ({ connectionId }) => [
    "live",
    `Connected${asUser()}`,
    `Connected${asUser()}. The connection's id is ${connectionId}.`,
  ],
  recovering: () => [
    "lost",
    "Connection lost, getting it back …",
    "The link was lost; the client tries to get the connection back.",
  ],
  recovered: () => ["live", `Connected${asUser()}`, "The connection is back; nothing was missed."],
  lost: (end) => [
    "lost",
    "Connection lost, trying again …",
    ["Disconnected.", endInWords(end)].filter(Boolean).join(" "),
  ],
  stopped: () => ["idle", "Not connected"],
};

function showState(state, details = {}) {
  if (state === "connected") userId = details.userId;
  const [tone, words, line] = states[state](details);
  $("state").dataset.tone = tone;
  $("state-words").textContent = words;
  const live = tone === "live";
  for (const id of ["join", "send"]) $(id).disabled = !live;
  for (const button of $("joined").querySelectorAll("button")) button.disabled = !live;
  $("connect").disabled = tone !== "idle";
  $("disconnect").disabled = tone === "idle";
  if (live || tone === "idle") $("settings").open = !live;
  if (line) note(line);
  if (state === "stopped") {
    joined.clear();
    showGroups();
  }
}

/** Does what a form or button asks for; what goes wrong is said at `problem`. */
async function attempt(problem, work) {
  $(problem).textContent = "";
  try {
    await work();
  } catch (error) {
    $(problem).textContent = errorInWords(error);
  }
}

/** The client URL that the form asks for. */
async function wantedUrl() {
  if (chosen("source") === "paste") return readClientUrl($("client-url").value).url;
  const roles = lines($("roles").value);
  if ($("may-join").checked) roles.push("webpubsub.joinLeaveGroup");
  if ($("may-send").checked) roles.push("webpubsub.sendToGroup");
  return makeClientUrl({
    connectionString: $("connection-string").value,
    hub: $("hub").value.trim(),
    user: $("user").value.trim(),
    roles,
    groups: lines($("token-groups").value),
    minutes: $("minutes").valueAsNumber,
  });
}

function showSource() {
  const paste = chosen("source") === "paste";
  $("paste-fields").hidden = !paste;
  $("make-fields").hidden = paste;
  showPasted();
}

/** Says what the pasted URL would do, while it is being edited. */
function showPasted() {
  const text = $("client-url").value.trim();
  if (chosen("source") !== "paste" || text === "") {
    $("client-url-says").textContent = "";
    return;
  }
  try {
    $("client-url-says").textContent = readClientUrl(text).says;
  } catch (error) {
    $("client-url-says").textContent = error.message;
  }
}

function showGroups() {
  $("no-groups").hidden = joined.size > 0;
  $("joined").replaceChildren(
    ...[...joined].map((group) => {
      const chip = element("li", "chip");
      const leave = element("button", "", "×");
      leave.type = "button";
      leave.setAttribute("aria-label", `Leave ${group}`);
      leave.addEventListener("click", () => leaveGroup(group));
      chip.append(element("span", "", group), leave);
      return chip;
    }),
  );
  $("known-groups").replaceChildren(...[...joined].map((group) => new Option(group, group)));
}

function leaveGroup(group) {
  return attempt("group-problem", async () => {
    await session.leave(group);
    joined.delete(group);
    showGroups();
    $("join-group").focus();
  });
}

function remember() {
  if ($("remember").checked) localStorage.setItem(REMEMBERED, $("connection-string").value);
  else localStorage.removeItem(REMEMBERED);
}

function on(id, event, listener) {
  $(id).addEventListener(event, listener);
}

function onSubmit(id, problem, work) {
  on(id, "submit", (event) => {
    event.preventDefault();
    void attempt(problem, work);
  });
}

onSubmit("connect-form", "connect-problem", async () => {
  if (!$("connect").disabled) await session.start(await wantedUrl(), $("protocol").value);
});
on("disconnect", "click", () => session.stop());
on("source", "change", showSource);
on("client-url", "input", showPasted);
on("client-url", "keydown", (event) => {
  // A URL has no line breaks: Enter means Connect, as in any other field.
  if (event.key !== "Enter") return;
  event.preventDefault();
  $("connect-form").requestSubmit();
});
on("show-key", "click", () => {
  const show = $("connection-string").type === "password";
  $("connection-string").type = show ? "text" : "password";
  $("show-key").setAttribute("aria-pressed", String(show));
  $("show-key").textContent = show ? "Hide" : "Show";
});
on("remember", "change", remember);
on("connection-string", "change", remember);
on("copy-url", "click", () =>
  attempt("connect-problem", async () => {
    $("copy-says").textContent = "";
    await navigator.clipboard.writeText(await wantedUrl());
    $("copy-says").textContent = "Copied.";
  }),
);

onSubmit("join-form", "group-problem", async () => {
  const group = $("join-group").value;
  if (group.trim() === "") throw new Error("Which group? Type its name first.");
  await session.join(group);
  joined.add(group);
  showGroups();
  $("join-group").value = "";
  if ($("send-name").value === "" && chosen("kind") === "group") $("send-name").value = group;
});

for (const radio of document.getElementsByName("kind")) {
  radio.addEventListener("change", () => {
    const group = chosen("kind") === "group";
    $("send-name-label").textContent = group ? "Group" : "Event";
    $("send-name").placeholder = group ? "room" : "message";
    $("send-name").setAttribute("list", group ? "known-groups" : "");
    $("no-echo-field").hidden = !group;
  });
}

onSubmit("send-form", "send-problem", async () => {
  $("send-says").textContent = "";
  const name = $("send-name").value;
  const group = chosen("kind") === "group";
  if (name.trim() === "")
    throw new Error(group ? "Which group? Type its name first." : "Which event? Type its name first.");
  const dataType = $("data-type").value;
  const data = dataType === "json" ? parseJson($("data").value) : $("data").value;
  await (group
    ? session.sendToGroup(name, data, dataType, $("no-echo").checked)
    : session.sendEvent(name, data, dataType));
  $("send-says").textContent = "Sent.";
});
on("data", "keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("send-form").requestSubmit($("send"));
});
on("clear", "click", () => log.clear());

function parseJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${error.message}`);
  }
  if (value === null) throw new Error("JSON null cannot be sent.");
  return value;
}

$("connection-string").value = localStorage.getItem(REMEMBERED) ?? "";
$("remember").checked = localStorage.getItem(REMEMBERED) !== null;
showSource();
