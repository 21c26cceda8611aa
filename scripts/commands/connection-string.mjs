// `connection-string`: prints the connection string and nothing else on standard output.
import { connectionString as writeConnectionString } from "../access.mjs";
import { address } from "../address.mjs";
import { addressFlags, addressOptions } from "../options.mjs";
import { quoted, say } from "../terminal.mjs";
import { typed } from "../typed.mjs";

/** @import { ValuesOf } from "../command.mjs" */

const name = "connection-string";
const { "connection-string": _, ...flags } = addressFlags;

export const connectionString = {
  name: typed(name),
  summary: "Prints the connection string of a service.",
  about:
    "Prints the connection string of the service and nothing else. Of a service that runs and serves https it is the https\nform, and standard error says how a program in Node comes to trust it.",
  flags,
  examples: [
    [`export WebPubSubConnectionString="$(${typed(name)})"`, "for the programs of this shell"],
    [typed(name, "--http"), "the http form"],
    [typed(name, "--state /tmp/state"), "of the service on that state folder"],
    [typed(name, "--deployed"), "of the deployed service"],
  ],

  /** @param {ValuesOf<typeof flags>} values */
  run(values) {
    const { url, key, authority } = address(addressOptions(values), "https");
    if (authority) process.stderr.write(`export NODE_EXTRA_CA_CERTS=${quoted(authority)}\n`);
    say(writeConnectionString(url, key));
  },
};
