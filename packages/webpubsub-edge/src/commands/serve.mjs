// `serve`: the service on a server of one's own.
import { serviceFlags } from "../../../../scripts/options.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { runWorkerd } from "../run-workerd.mjs";

/** @import { Flags } from "../../../../scripts/command.mjs" */

/** @satisfies {Flags} */
const flags = {
  ...serviceFlags,
  json: { type: "boolean", about: "Says in one line of JSON how the service is reached, for programs." },
};

export const serve = {
  name: typed("serve"),
  summary: "Runs the service on a server of one's own.",
  about:
    "Runs the service as one process that keeps its state on disk. Prints `listening on http://HOST:PORT`, and one for\nhttps where it is served, when it accepts. SIGTERM sends every client away first.",
  flags,
  examples: [
    [typed("serve"), "http at port 8080 of this machine"],
    [typed("serve", "--https"), "https at port 8443, too, with a certificate of a local authority"],
    [
      typed("serve", "--host 0.0.0.0 --cert fullchain.pem --key privkey.pem --https-port 443"),
      "for the network, with a certificate of one's own",
    ],
    [
      typed("serve", "--shards 4 --settings settings.json --var RECOVERY_WINDOW_SECONDS=30"),
      "with hubs' settings and a variable",
    ],
  ],

  /** @param {string[]} args */
  start(args) {
    return runWorkerd(this, args);
  },
};
