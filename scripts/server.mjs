// `npm run server`: the service as one native process, built with cargo alone.
import { serverFlags } from "./options.mjs";
import { runService } from "./service.mjs";
import { buildServer, startServer } from "./service/native.mjs";
import { setUp } from "./setup.mjs";
import { main } from "./terminal.mjs";

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run server",
  about:
    "Runs the service as a native program: one process that keeps its state in SQLite. Builds it first, with cargo alone.\nPrints `listening on http://HOST:PORT`, and one for https where it is served, when it accepts.",
  flags: serverFlags,
  examples: [
    ["npm run server", "http at port 8080 of this machine"],
    ["npm run server -- --durability normal", "faster, and a power failure may lose the last moments"],
    [
      "npm run server -- --host 0.0.0.0 --cert fullchain.pem --key privkey.pem --https-port 443",
      "for the network, with a certificate of one's own",
    ],
  ],
};

await main(() =>
  runService({
    command,
    program: "webpubsub-server",
    launch: startServer,
    setUp: () => setUp("quick"),
    build: buildServer,
    endsItself: true,
    endsTls: true,
  }),
);
process.exit();
