// `npm run serve`: the service on plain workerd. One process, state kept on disk.
import { runService } from "./service.mjs";
import { startWorkerd } from "./service/workerd.mjs";
import { main } from "./terminal.mjs";

await main(() => runService({ command: "npm run serve", program: "workerd", launch: startWorkerd, variables: {}, drains: true }));
process.exit();
