// `send`: publishes a message, as a server with the access key does.
import { messageOf } from "../../../../scripts/errors.mjs";
import { addressFlags, whole } from "../../../../scripts/options.mjs";
import { UsageProblem } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { hubPath } from "../hubs.mjs";
import { read } from "../input.mjs";
import { Service } from "../service.mjs";

/** @import { Flags, Operands, ValuesOf } from "../../../../scripts/command.mjs" */

/**
 * Content types by the kinds of data.
 * @type {Record<string, string>}
 */
const TYPES = { text: "text/plain", json: "application/json", binary: "application/octet-stream" };
const MAX_TTL_SECONDS = 300;

/** @satisfies {Flags} */
const flags = {
  group: { type: "string", value: "GROUP", about: "To the members of this group." },
  user: { type: "string", value: "USER", about: "To the connections of this user." },
  connection: { type: "string", value: "ID", about: "To this connection." },
  filter: { type: "string", value: "FILTER", about: "Only to those that match, such as \"userId eq 'ann'\"." },
  exclude: { type: "string", multiple: true, value: "ID", about: "Not to this connection." },
  type: { type: "string", default: "text", value: "text|json|binary", about: "What the message is." },
  file: { type: "string", value: "FILE", about: "The message, in place of DATA; - is standard input." },
  ttl: { type: "string", value: "SECONDS", about: "How long the message may wait for a client that is away." },
  ...addressFlags,
};

export const send = {
  name: typed("send"),
  summary: "Publishes a message to clients.",
  about: "Publishes DATA, or what is in a file or standard input, to all clients of a hub or to some of them.",
  rest: "HUB [DATA]",
  flags,
  examples: [
    [typed('send chat "Hello World"'), "to all"],
    [typed("send chat '{\"a\":1}'", "--type json --group room"), "JSON, to a group"],
    [typed('send chat "Hi"', "--user ann"), "to a user"],
    [typed("send chat", "--file picture.png --type binary"), "a file"],
    [typed('send chat "Hi"', "--filter \"'room' in groups and not startswith(userId, 'bot')\""), "to some"],
  ],

  /** @param {ValuesOf<typeof flags> & Operands} values */
  async run(values) {
    const [hub, data] = values.rest;
    if (!Object.hasOwn(TYPES, values.type))
      throw new UsageProblem(`--type must be one of ${Object.keys(TYPES).join(", ")}, not "${values.type}".`);
    if ((data === undefined) === (values.file === undefined))
      throw new UsageProblem(`${this.name} takes either DATA or --file FILE: ${this.name} HUB [DATA].`);
    const body = Buffer.from(values.file === undefined ? Buffer.from(data) : read(values.file));
    if (values.type === "json") checkJson(body.toString("utf8"));
    const query = (values.exclude ?? []).map((id) => ["excluded", id]);
    if (values.filter !== undefined) query.push(["filter", values.filter]);
    if (values.ttl !== undefined)
      query.push(["messageTtlSeconds", String(whole("--ttl", values.ttl, 0, MAX_TTL_SECONDS))]);
    await new Service(values).rest("POST", `${hubPath(hub)}${target(values)}/:send`, {
      query,
      body,
      type: TYPES[values.type],
    });
  },
};

/** @param {ValuesOf<typeof flags>} values */
function target({ group, user, connection }) {
  const targets = Object.entries({ groups: group, users: user, connections: connection }).flatMap(([kind, name]) =>
    name === undefined ? [] : [{ kind, name }],
  );
  if (targets.length > 1) throw new UsageProblem("--group, --user and --connection exclude each other.");
  return targets.map(({ kind, name }) => `/${kind}/${encodeURIComponent(name)}`).join("");
}

/** @param {string} text */
function checkJson(text) {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new UsageProblem(`The message is not JSON: ${messageOf(error)}`);
  }
}
