// All commands of the package, in the order in which they are described.
import { clientUrl } from "../../../scripts/commands/client-url.mjs";
import { connectionString } from "../../../scripts/commands/connection-string.mjs";
import { token } from "../../../scripts/commands/token.mjs";
import { completion } from "./commands/completion.mjs";
import { deliveries } from "./commands/deliveries.mjs";
import { deploy } from "./commands/deploy.mjs";
import { dev } from "./commands/dev.mjs";
import * as handlers from "./commands/handlers.mjs";
import * as hubs from "./commands/hubs.mjs";
import * as keys from "./commands/keys.mjs";
import { listen } from "./commands/listen.mjs";
import { metrics } from "./commands/metrics.mjs";
import { send } from "./commands/send.mjs";
import { trace } from "./commands/trace.mjs";
import { serve } from "./commands/serve.mjs";

/** @import { Command } from "../../../scripts/command.mjs" */

/**
 * Commands by their names. One with `start(args)` reads its own options, the others have a `run(values)`.
 * @type {Record<string, Command & { start?(args: string[]): unknown, run?(values: never): unknown }>}
 */
export const commands = {
  dev,
  serve,
  deploy,
  "connection-string": connectionString,
  "client-url": clientUrl,
  token,
  send,
  listen,
  "hubs list": hubs.list,
  "hubs get": hubs.get,
  "hubs set": hubs.set,
  "hubs delete": hubs.remove,
  "handlers test": handlers.test,
  "keys list": keys.list,
  "keys rotate": keys.rotate,
  "keys regenerate": keys.regenerate,
  deliveries,
  trace,
  metrics,
  completion,
};

/** The first words of the names that have two. */
export const groups = [
  ...new Set(
    Object.keys(commands)
      .filter((name) => name.includes(" "))
      .map((name) => name.split(" ")[0]),
  ),
];
