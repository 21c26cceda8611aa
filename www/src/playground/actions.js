// What a client of the playground can do, and what the form says about it.

/**
 * Every action: what it needs beside data, and what its name is the name of.
 * @typedef {{
 *   id: string, words: string, named: string, hasData?: boolean, hasExtras?: boolean, isOfSubprotocols?: boolean,
 * }} Action
 * @type {Action[]}
 */
export const actions = [
  { id: "group", words: "Send to a group", named: "Group", hasData: true, hasExtras: true },
  { id: "event", words: "Send an event", named: "Event", hasData: true, hasExtras: true },
  { id: "invoke", words: "Invoke an event", named: "Event", hasData: true, isOfSubprotocols: true },
  { id: "join", words: "Join a group", named: "Group" },
  { id: "leave", words: "Leave a group", named: "Group" },
  { id: "stream", words: "Stream to a group", named: "Group", hasData: true, isOfSubprotocols: true },
];

/** Those that a client can do: MQTT has neither invocations nor streams. */
export const actionsOf = ({ isMqtt }) => actions.filter(({ isOfSubprotocols }) => !(isMqtt && isOfSubprotocols));

/** The one that a form is about: the first, where the client cannot do what was chosen for another protocol. */
export const actionFor = (client, kind) => actionsOf(client).find(({ id }) => id === kind) ?? actions[0];

/** What the form holds at first. */
export const newForm = () => ({
  kind: "group",
  name: "",
  dataType: "text",
  data: "",
  noEcho: false,
  fireAndForget: false,
  ackId: "",
  ttl: "",
  metadata: "",
});

/** Reads the form of a client. Throws what is wrong with it, in words. */
export function actionOf(form, client) {
  if (client.isBare) return { kind: "frame", content: contentOf({ ...form, kind: "frame" }) };
  const { id: kind, named, hasData, hasExtras } = actionFor(client, form.kind);
  if (form.name.trim() === "") throw new Error(`Which ${named.toLowerCase()}? Type its name first.`);
  return {
    kind,
    name: form.name,
    ...(hasData && { dataType: form.dataType, content: contentOf({ ...form, kind }) }),
    ...((kind === "group" || kind === "stream") && { noEcho: form.noEcho }),
    ...(hasExtras && {
      fireAndForget: form.fireAndForget,
      ackId: whole(form.ackId, "The ack id", Number.MAX_SAFE_INTEGER),
      ttlSeconds: kind === "group" ? whole(form.ttl, "The time to live", 300) : undefined,
      metadata: metadataOf(form.metadata),
    }),
  };
}

function contentOf({ kind, dataType, data }) {
  if (dataType === "json") return parseJson(data);
  if (dataType === "binary") return bytesOf(data);
  if (kind === "stream" && data === "") throw new Error("A stream has at least one line.");
  return data;
}

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

/** Bytes in hexadecimal, with or without white space. */
function bytesOf(text) {
  const digits = text.replace(/\s+/g, "");
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new Error("Binary data is bytes in hexadecimal, such as 00 ff.");
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)).buffer;
}

function whole(text, what, most) {
  if (text.trim() === "") return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0 || number > most)
    throw new Error(`${what} is a whole number from 0 to ${most}.`);
  return number;
}

/** Lines of `name: value`. */
function metadataOf(text) {
  const pairs = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const at = line.indexOf(":");
      if (at < 1) throw new Error("Metadata are lines of a name, a colon and a value.");
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    });
  return pairs.length > 0 ? Object.fromEntries(pairs) : undefined;
}
