// `listen`: a client on the terminal, which prints what it receives.
import { WebPubSubClient } from "@webpubsub-edge/client";
import { clientUrl, hubName } from "../../../../scripts/access.mjs";
import { clientFlags, clientOf } from "../../../../scripts/commands/client-url.mjs";
import { codeOf } from "../../../../scripts/errors.mjs";
import { addressFlags, whole } from "../../../../scripts/options.mjs";
import { Problem, say } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { FAILED, NOT_ALLOWED } from "../exit-codes.mjs";
import { clock, jsonFlag, sayJson, visible } from "../output.mjs";
import { Service, notReached } from "../service.mjs";

/** @import { Flags, Operands, ValuesOf } from "../../../../scripts/command.mjs" */

const MOST = 1_000_000;

/** @satisfies {Flags} */
const flags = {
  ...clientFlags,
  count: { type: "string", value: "N", about: "Ends after so many messages." },
  ...jsonFlag,
  ...addressFlags,
};

export const listen = {
  name: typed("listen"),
  summary: "Connects a client, and prints what it receives.",
  about:
    "Connects a client to a hub and prints each message that it receives, until Ctrl-C. It is reliable: it misses nothing\nwhen its connection is lost for a while. With --json each message is a line of JSON, binary data as base64.",
  rest: "HUB",
  flags,
  examples: [
    [typed("listen chat"), "everything that is published to all"],
    [typed("listen chat", "--group room --group news --user ann"), "as a member of two groups, and as a user"],
    [typed("listen chat", "--count 1 --json"), "the next message, for a script"],
  ],

  /** @param {ValuesOf<typeof flags> & Operands} values */
  async run(values) {
    const [hub] = values.rest;
    const most = values.count === undefined ? Infinity : whole("--count", values.count, 1, MOST);
    const service = new Service(values);
    const request = { hub: hubName(hub, "HUB"), ...clientOf(values) };
    const client = new WebPubSubClient({ getClientAccessUrl: () => clientUrl(request, service) });
    const note = (/** @type {string} */ text) => process.stderr.write(`${text}\n`);
    const stopped = new Promise((resolve) => client.on("stopped", () => resolve(undefined)));
    let received = 0;
    const receive = (/** @type {Received} */ message) => {
      if (received >= most) return;
      print(message, values.json);
      if (++received >= most) client.stop();
    };
    client.on("group-message", ({ message }) => receive({ from: "group", ...message }));
    client.on("server-message", ({ message }) => receive({ from: "server", ...message }));
    client.on("connected", ({ connectionId }) => note(`Connected to ${service.url} as connection ${connectionId}.`));
    client.on("disconnected", ({ message }) => note(`Disconnected${message?.message ? `: ${message.message}` : "."}`));
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => client.stop());
    await client.start().catch((error) => {
      throw notConnected(service.url, hub, error);
    });
    await stopped;
  },
};

/**
 * A message, and whether it came from a group or a server.
 * @typedef {{
 *   from: "group" | "server", group?: string, dataType: string, data: unknown, fromUserId?: string,
 * }} Received
 */

/**
 * Why a client could not connect: the service's answer, or that there was none.
 * @param {string} url
 * @param {string} hub
 * @param {Error & { status?: number }} error
 */
function notConnected(url, hub, error) {
  const { status } = error;
  if (status === undefined) return notReached(url, new Error(codeOf(error.cause) ?? codeIn(error)));
  const exitCode = status === 401 || status === 403 ? NOT_ALLOWED : FAILED;
  // A client learns nothing else of a handler of connect that fails.
  const next = status === 500 ? ` Its event handler may have failed: ${typed("deliveries", `${hub} --failed`)}` : "";
  return new Problem(`The service at ${url} does not let the client in: ${error.message}${next}`, { exitCode });
}

/** @param {Error} error */
const codeIn = (error) =>
  /\b[A-Z]+(?:_[A-Z]+)+\b|\bE[A-Z]{4,}\b/.exec(`${error.message} ${error.cause ?? ""}`)?.[0] ?? error.message;

/**
 * @param {Received} message
 * @param {boolean | undefined} json
 */
function print({ from, group, dataType, data, fromUserId }, json) {
  const isBytes = data instanceof ArrayBuffer;
  const text = isBytes ? Buffer.from(data).toString("base64") : data;
  if (json) return sayJson({ time: Date.now(), from, group, fromUserId, dataType, data: text });
  const shown = typeof text === "string" ? text : JSON.stringify(text);
  say(visible(`${clock(Date.now())}  ${group === undefined ? from : `${from} ${group}`}  ${dataType}  ${shown}`));
}
