// `npm run -s connection-string`: prints the connection string and nothing else on standard output.
import { connectionString } from "./access.mjs";
import { address } from "./address.mjs";
import { parse } from "./command.mjs";
import { addressFlags, addressOptions } from "./options.mjs";
import { main, quoted, say } from "./terminal.mjs";

const command = {
  name: "npm run -s connection-string",
  about:
    "Prints the connection string of the service and nothing else. Of a service that runs and serves https it is the https\nform, and standard error says how a program in Node comes to trust it.",
  flags: addressFlags,
  examples: [
    ['export WebPubSubConnectionString="$(npm run -s connection-string)"', "for the programs of this shell"],
    ["npm run -s connection-string -- --http", "the http form"],
    ["npm run -s connection-string -- --state /tmp/state", "of the service on that state folder"],
    ["npm run -s connection-string -- --deployed", "of the deployed service"],
  ],
};

await main(() => {
  const { url, key, authority } = address(addressOptions(parse(process.argv.slice(2), command)), "https");
  if (authority) process.stderr.write(`export NODE_EXTRA_CA_CERTS=${quoted(authority)}\n`);
  say(connectionString(url, key));
});
