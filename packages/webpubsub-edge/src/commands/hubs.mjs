// `hubs list`, `get`, `set` and `delete`: which hubs there are, and their settings.
import { addressFlags } from "../../../../scripts/options.mjs";
import { UsageProblem, say } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { hubPath, settingsOf } from "../hubs.mjs";
import { readObject } from "../input.mjs";
import { jsonFlag, sayJson } from "../output.mjs";
import { Service } from "../service.mjs";

/** @import { Flags, Operands, ValuesOf } from "../../../../scripts/command.mjs" */

/** @satisfies {Flags} */
const flags = { ...jsonFlag, ...addressFlags };

export const list = {
  name: typed("hubs list"),
  summary: "Prints the names of all hubs.",
  about: "Prints the names of all hubs that were ever used, one on each line.",
  flags: flags,
  examples: [
    [typed("hubs list"), "of the service that runs on this folder's state"],
    [typed("hubs list", "--deployed --json"), "of the deployed one, as JSON"],
  ],

  /** @param {ValuesOf<typeof flags>} values */
  async run(values) {
    const { hubs } = await new Service(values).manage("GET", "/hubs");
    if (values.json) sayJson(hubs);
    else for (const hub of hubs) say(hub);
  },
};

export const get = {
  name: typed("hubs get"),
  summary: "Prints the settings of a hub.",
  about: "Prints the settings of a hub as JSON. Secrets are ***, which hubs set takes for those that are there.",
  rest: "HUB",
  flags: flags,
  examples: [
    [typed("hubs get chat"), "the settings of the hub chat"],
    [`${typed("hubs get chat")} > chat.json`, "to change them and set them again"],
  ],

  /** @param {ValuesOf<typeof flags> & Operands} values */
  async run(values) {
    const settings = await settingsOf(new Service(values), values.rest[0]);
    if (values.json) sayJson(settings);
    else say(JSON.stringify(settings, null, 2));
  },
};

/** @satisfies {Flags} */
const flagsOfSet = {
  anonymous: { type: "string", value: "allow|deny", about: "Whether clients without a token may connect." },
  shards: { type: "string", value: "N", about: "Over how many shards the hub is spread." },
  "event-handler": {
    type: "string",
    multiple: true,
    value: "URL",
    about: "Has this URL handle all events, in place of the event handlers that there are.",
  },
  ...jsonFlag,
  ...addressFlags,
};

export const set = {
  name: typed("hubs set"),
  summary: "Sets up a hub.",
  about:
    "Gives a hub the settings in FILE, which is JSON, or - for standard input; or changes those that options name and\nleaves the others. Prints what the hub then has. docs/configuration.md describes settings.",
  rest: "HUB [FILE]",
  flags: flagsOfSet,
  examples: [
    [typed("hubs set chat chat.json"), "all settings, from a file"],
    [typed("hubs set chat", "--anonymous allow"), "one of them"],
    [typed("hubs set chat", "--event-handler http://localhost:3000/eventhandler"), "every event goes there"],
  ],

  /** @param {ValuesOf<typeof flagsOfSet> & Operands} values */
  async run(values) {
    const [hub, file] = values.rest;
    const changes = changesOf(values);
    if ((file === undefined) === (Object.keys(changes).length === 0))
      throw new UsageProblem(`${this.name} takes a FILE (- for standard input), or options that say what to change.`);
    const service = new Service(values);
    const settings = file === undefined ? await service.manage("GET", hubPath(hub)) : readObject(file);
    delete settings.notes;
    const body = JSON.stringify({ ...settings, ...changes });
    const after = await service.manage("PUT", hubPath(hub), { body, type: "application/json" });
    if (values.json) sayJson(after);
    else say(JSON.stringify(after, null, 2));
  },
};

/** @param {ValuesOf<typeof flagsOfSet>} values */
function changesOf({ anonymous, shards, "event-handler": handlers }) {
  return {
    ...(anonymous !== undefined && { anonymousConnectPolicy: anonymous }),
    ...(shards !== undefined && { shards: Number(shards) }),
    ...(handlers !== undefined && {
      eventHandlers: handlers.map((urlTemplate) => ({
        urlTemplate,
        userEventPattern: "*",
        systemEvents: ["connect", "connected", "disconnected"],
      })),
    }),
  };
}

export const remove = {
  name: typed("hubs delete"),
  summary: "Takes a hub's settings back to what the service was started with.",
  about: "Takes a hub's settings back to what the service was started with. Its clients stay.",
  rest: "HUB",
  flags: addressFlags,
  examples: [[typed("hubs delete chat"), "the hub chat has the usual settings again"]],

  /** @param {ValuesOf<typeof addressFlags> & Operands} values */
  async run(values) {
    const service = new Service(values);
    await settingsOf(service, values.rest[0]);
    await service.manage("DELETE", hubPath(values.rest[0]));
  },
};
