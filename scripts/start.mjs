// `npm start`: sets up what is missing, builds, and runs the service under `wrangler dev`.
//
// Changed sources are built again, and wrangler loads what comes of it.
import { performance } from "node:perf_hooks";
import { ALL_GROUPS, clientUrl, connectionString, primaryKey } from "./access.mjs";
import { serviceFlags } from "./options.mjs";
import { state } from "./paths.mjs";
import { runService } from "./service.mjs";
import { rebuildOnChange } from "./service/watch.mjs";
import { loadWorker, startWrangler } from "./service/wrangler.mjs";
import { duration, main, quoted, say } from "./terminal.mjs";

const HUB = "myHub1";

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
    program: "wrangler",
    launch: startWrangler,
    // A handler under development listens on the developer's own machine.
    variables: { ALLOW_PRIVATE_EVENT_HANDLERS: "on" },
    ready(options, keys, reached) {
      greet(options, primaryKey(keys), reached);
      rebuildOnChange(() => loadWorker(options));
    },
  }),
);
process.exit();

function greet(options, key, { endpoint, secure, authority }) {
  const elsewhere = options.state === state ? "" : ` --state ${quoted(options.state)}`;
  const trust = authority ? `  export NODE_EXTRA_CA_CERTS=${quoted(authority)}\n` : "";
  say(`
The service is ready (after ${duration(performance.now())}).

  Endpoint           ${secure}
                     ${endpoint}
  Connection string  ${connectionString(secure, key)}
  Client URL         ${clientUrl({ hub: HUB, roles: ALL_GROUPS }, { url: endpoint, key })}
                     (hub ${HUB}, for 60 minutes; may join every group and send to it)
  Page               ${endpoint}/

Try next: open the page and paste the client URL, or in another terminal
  export WebPubSubConnectionString="$(npm run -s connection-string${elsewhere && ` --${elsewhere}`})"
${trust}  npm run -s client-url -- --hub ${HUB} --user me${elsewhere}

Changed sources are built and loaded by themselves. Ctrl-C stops the service; its state stays.
`);
}
