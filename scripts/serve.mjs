// `npm run serve`: the service on plain workerd. One process, state kept on disk.
import { build } from "./build.mjs";
import { serviceFlags } from "./options.mjs";
import { runService } from "./service.mjs";
import { startWorkerd } from "./service/workerd.mjs";
import { setUp } from "./setup.mjs";
import { main } from "./terminal.mjs";

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run serve",
  about:
    "Runs the service on plain workerd: one process that keeps its state on disk. Sets up and builds what is missing first.\nPrints `listening on http://HOST:PORT`, and one for https where it is served, when it accepts.",
  flags: serviceFlags,
  examples: [
    ["npm run serve", "http at port 8080 of this machine"],
    ["npm run serve -- --https", "https at port 8443, too, with a certificate of a local authority"],
    [
      "npm run serve -- --host 0.0.0.0 --cert fullchain.pem --key privkey.pem --https-port 443",
      "for the network, with a certificate of one's own",
    ],
    [
      "npm run serve -- --shards 4 --settings settings.json --var RECOVERY_WINDOW_SECONDS=30",
      "with hubs' settings and a variable",
    ],
  ],
};

await main(() =>
  runService({
    command,
    setUp: () => setUp("build"),
    build,
    program: "workerd",
    launch: startWorkerd,
    drains: true,
  }),
);
process.exit();
