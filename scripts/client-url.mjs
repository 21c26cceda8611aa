// `npm run -s client-url`: see `commands/client-url.mjs`.
import { runCommand } from "./command.mjs";
import { clientUrl } from "./commands/client-url.mjs";
import { main } from "./terminal.mjs";

await main(() => runCommand(clientUrl));
