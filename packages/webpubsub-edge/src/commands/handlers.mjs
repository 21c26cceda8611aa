// `handlers test`: asks an event handler as the service would, and says how it went.
import { addressFlags, whole } from "../../../../scripts/options.mjs";
import { Problem, say } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { NOT_THERE } from "../exit-codes.mjs";
import { hubPath, settingsOf } from "../hubs.mjs";
import { jsonFlag, sayJson, visible } from "../output.mjs";
import { Service } from "../service.mjs";

/** @import { Flags, Operands, ValuesOf } from "../../../../scripts/command.mjs" */

const MAX_HANDLERS = 100;

/** @satisfies {Flags} */
const flags = { ...jsonFlag, ...addressFlags };

export const test = {
  name: typed("handlers test"),
  summary: "Asks an event handler of a hub, and says how it went.",
  about:
    "Asks an event handler of a hub, counted from 0, whether it wants events, and sends it a sample. Says in words how each\nof the two went; the exit code is 1 where one went wrong.",
  rest: "HUB [INDEX]",
  flags,
  examples: [
    [typed("handlers test chat"), "the first event handler of the hub chat"],
    [typed("handlers test chat 1", "--json"), "the second one, as JSON"],
  ],

  /** @param {ValuesOf<typeof flags> & Operands} values */
  async run(values) {
    const [hub, given = "0"] = values.rest;
    const index = whole("INDEX", given, 0, MAX_HANDLERS);
    const service = new Service(values);
    const { eventHandlers } = await settingsOf(service, hub);
    if (index >= eventHandlers.length)
      throw new Problem(
        `The hub ${hub} has ${eventHandlers.length} event handlers, and none with the number ${index}.`,
        {
          exitCode: NOT_THERE,
        },
      );
    const outcome = await service.manage("POST", `${hubPath(hub)}/eventHandlers/${index}/:test`);
    if (values.json) sayJson(outcome);
    else {
      for (const { step, ok, result } of outcome.steps) say(`${ok ? "ok    " : "failed"}  ${step}: ${visible(result)}`);
      if (outcome.note) say(visible(outcome.note));
    }
    if (!outcome.steps.every((/** @type {{ ok: boolean }} */ { ok }) => ok)) process.exitCode = 1;
  },
};
