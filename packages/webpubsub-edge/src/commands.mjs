// All commands of the package, in the order in which they are described.
import { clientUrl } from "../../../scripts/commands/client-url.mjs";
import { connectionString } from "../../../scripts/commands/connection-string.mjs";
import { token } from "../../../scripts/commands/token.mjs";
import { dev } from "./commands/dev.mjs";
import { serve } from "./commands/serve.mjs";

/** Commands by their names. One with `start(args)` reads its own options, the others have a `run(values)`. */
export const commands = {
  dev,
  serve,
  "connection-string": connectionString,
  "client-url": clientUrl,
  token,
};

/** The first words of the names that have two. */
export const groups = [
  ...new Set(
    Object.keys(commands)
      .filter((name) => name.includes(" "))
      .map((name) => name.split(" ")[0]),
  ),
];
