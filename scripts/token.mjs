// `npm run -s token`: see `commands/token.mjs`.
import { runCommand } from "./command.mjs";
import { token } from "./commands/token.mjs";
import { main } from "./terminal.mjs";

await main(() => runCommand(token));
