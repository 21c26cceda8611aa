// `npm run -s connection-string`: see `commands/connection-string.mjs`.
import { runCommand } from "./command.mjs";
import { connectionString } from "./commands/connection-string.mjs";
import { main } from "./terminal.mjs";

await main(() => runCommand(connectionString));
