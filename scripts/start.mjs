// `npm start`: sets up what is missing, builds, and runs the service under `wrangler dev`.
//
// Changed sources are built again, and wrangler loads what comes of it.
import { primaryKey } from "./access.mjs";
import { build } from "./build.mjs";
import { serviceFlags } from "./options.mjs";
import { runService } from "./service.mjs";
import { greeting } from "./service/greeting.mjs";
import { rebuildOnChange } from "./service/watch.mjs";
import { loadWorker, startWrangler } from "./service/wrangler.mjs";
import { setUp } from "./setup.mjs";
import { main, say } from "./terminal.mjs";

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm start",
  about:
    "Sets up what is missing, builds, and runs the service under wrangler dev, with https beside http. Builds again when sources change.",
  flags: serviceFlags,
  alwaysHttps: true,
  examples: [
    ["npm start", "http at port 8080 of this machine, https at 8443"],
    ["npm start -- --port 9000 --https-port 9443 --state /tmp/state", "a second one, with a state of its own"],
    ["npm start -- --shards 4", "each hub spread over four Durable Objects"],
    ["npm start -- --settings settings.json", "with hubs' settings, such as event handlers"],
  ],
};

await main(() =>
  runService({
    command,
    setUp: () => setUp("build"),
    build,
    program: "wrangler",
    launch: startWrangler,
    signedIn: true,
    // A handler under development listens on the developer's own machine.
    variables: { ALLOW_PRIVATE_EVENT_HANDLERS: "on" },
    ready(options, keys, reached) {
      say(greeting(options, primaryKey(keys), reached));
      say("Changed sources are built and loaded by themselves. Ctrl-C stops the service; its state stays.\n");
      rebuildOnChange(() => loadWorker(options));
    },
  }),
);
process.exit();
