// What `dev` and `serve` have in common: the built worker on workerd.
import { connectionString, primaryKey } from "../../../scripts/access.mjs";
import { parse } from "../../../scripts/command.mjs";
import { runService } from "../../../scripts/service.mjs";
import { startWorkerd } from "../../../scripts/service/workerd.mjs";
import { say } from "../../../scripts/terminal.mjs";
import { makeHome } from "./paths.mjs";

/** @import { Command, Flags, ValuesOf } from "../../../scripts/command.mjs" */
/** @import { Ready } from "../../../scripts/service.mjs" */

/**
 * Runs the service until it ends. Started by another program over a channel, it ends with that one. `ready` is called when
 * the service answers, as `runService` does, and with the `values` of the command's flags.
 * @template {Flags} F
 * @param {Command<F>} command
 * @param {string[]} args
 * @param {{
 *   variables?: Record<string, string>, signedIn?: boolean,
 *   ready?: (...given: [...Parameters<Ready>, values: ValuesOf<F>]) => void,
 * }} options
 */
export async function runWorkerd(command, args, { variables = {}, signedIn = false, ready } = {}) {
  const values = parse(args, command);
  makeHome();
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel?.unref();
  await runService({
    command,
    args,
    program: "workerd",
    launch: startWorkerd,
    variables,
    drains: true,
    signedIn,
    ready(options, keys, reached) {
      const key = primaryKey(keys);
      if (values.json)
        say(
          JSON.stringify({ ...reached, connectionString: connectionString(reached.secure ?? reached.endpoint, key) }),
        );
      ready?.(options, keys, reached, values);
    },
  });
  process.exit();
}
