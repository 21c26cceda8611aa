// What a service says when it is ready, for who started it.
import { performance } from "node:perf_hooks";
import { ALL_GROUPS, clientUrl, connectionString, signInLink } from "../access.mjs";
import { state } from "../paths.mjs";
import { duration, quoted } from "../terminal.mjs";
import { typed } from "../typed.mjs";

const HUB = "myHub1";

/**
 * Where the service is reached, with its connection string, a client URL and what to type next.
 * @param {{ state: string }} options
 * @param {string} key
 * @param {import("../service.mjs").Reached} reached
 */
export function greeting(options, key, { endpoint, secure: https, authority }) {
  const secure = https ?? endpoint;
  const elsewhere = options.state === state ? "" : `--state ${quoted(options.state)}`;
  const trust = authority ? `  export NODE_EXTRA_CA_CERTS=${quoted(authority)}\n` : "";
  const endpoints = [...new Set([secure, endpoint])].join("\n                     ");
  return `
The service is ready (after ${duration(performance.now())}).

  Endpoint           ${endpoints}
  Connection string  ${connectionString(secure, key)}
  Client URL         ${clientUrl({ hub: HUB, roles: ALL_GROUPS }, { url: endpoint, key })}
                     (hub ${HUB}, for 60 minutes; may join every group and send to it)
  Page               ${signInLink({ url: endpoint, secure: https, key })}
                     (signs in once; without what is behind the #, it does not)

Try next: open the page and paste the client URL, or in another terminal
  export WebPubSubConnectionString="$(${typed("connection-string", elsewhere)})"
${trust}  ${typed("client-url", `--hub ${HUB} --user me${elsewhere && ` ${elsewhere}`}`)}
`;
}
