// `npm start`: sets up what is missing, builds, and runs the service under `wrangler dev`.
//
// Changed sources are built again, and wrangler loads what comes of it.
import { performance } from "node:perf_hooks";
import { ALL_GROUPS, clientUrl, connectionString, endpoint, primaryKey } from "./access.mjs";
import { runService } from "./service.mjs";
import { rebuildOnChange } from "./service/watch.mjs";
import { loadWorker, startWrangler } from "./service/wrangler.mjs";
import { duration, main, say } from "./terminal.mjs";

const HUB = "myHub1";

await main(() =>
  runService({
    command: "npm start",
    program: "wrangler",
    launch: startWrangler,
    // A handler under development listens on the developer's own machine.
    variables: { ALLOW_PRIVATE_EVENT_HANDLERS: "true" },
    ready(options, keys) {
      greet(options, primaryKey(keys));
      rebuildOnChange(() => loadWorker(options));
    },
  }),
);
process.exit();

function greet(options, key) {
  const url = endpoint(options);
  const elsewhere = options.port === 8080 ? "" : ` --port ${options.port}`;
  say(`
The service is ready (after ${duration(performance.now())}).

  Endpoint           ${url}
  Connection string  ${connectionString(url, key)}
  Client URL         ${clientUrl({ hub: HUB, roles: ALL_GROUPS }, { url, key })}
                     (hub ${HUB}, for 60 minutes; may join every group and send to it)
  Page               ${url}/

Try next: open the page and paste the client URL, or in another terminal
  export WebPubSubConnectionString="$(npm run -s connection-string${elsewhere && ` --${elsewhere}`})"
  npm run -s client-url -- --hub ${HUB} --user me${elsewhere}

Changed sources are built and loaded by themselves. Ctrl-C stops the service; its state stays.
`);
}
