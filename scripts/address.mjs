// Which service a command is for, and the key to it.
import { deployment, endpoint, primaryKey } from "./access.mjs";
import { HOST, PORTS } from "./defaults.mjs";
import { portOf, runningService, serviceAt } from "./service/record.mjs";
import { Problem } from "./terminal.mjs";
import { typed } from "./typed.mjs";

/**
 * @import { RunningService } from "./service/record.mjs"
 * @import { AddressOptions, Scheme } from "./options.mjs"
 */

/**
 * Where a service is, the key to it, and where the certificate of its authority is, if clients have to trust that one.
 * @typedef {{ url: string, key: string, authority?: string }} Address
 */

/**
 * The URL of the service that these options (of `addressOptions`) are about, its access key, and where the certificate
 * of its authority is, if clients have to trust that one. Of a service that runs on the state folder and has both forms
 * the URL is the `usual` one unless they say otherwise.
 * @param {AddressOptions} options
 * @param {Scheme} usual
 * @returns {Address}
 */
export function address(options, usual) {
  if (options.connection) return connected(options.connection, options, usual);
  if (options.isDeployed) return deployed(options);
  const key = primaryKey();
  if (options.endpoint) return { url: options.endpoint, key };
  const known = [runningService(options.state), serviceAt(options.port)].find(
    (service) => service?.endpoint && isMeant(service, options),
  );
  if (known?.endpoint) {
    const scheme = options.scheme ?? (isPortOf(options.port, known.secure) ? "https" : usual);
    if (scheme === "https" && known.secure) return { url: known.secure, key, authority: known.authority };
    if (options.scheme !== "https") return { url: known.endpoint, key };
    throw new Problem(`${known.command} at ${known.endpoint} does not serve https: start it with --https.`);
  }
  const scheme = options.scheme ?? "http";
  const url = endpoint({ scheme, host: options.host ?? HOST, port: options.port ?? PORTS[scheme] });
  if (options.host === undefined && options.port === undefined) noteNoService(options.state, url);
  return { url, key };
}

/**
 * The service of a connection string; one that runs here by its usual form, as without a connection string.
 * @param {{ url: string, key: string }} connection
 * @param {AddressOptions} options
 * @param {Scheme} usual
 * @returns {Address}
 */
function connected({ url, key }, { state }, usual) {
  const known = [runningService(state), serviceAt(portOf(url))].find((service) => service?.secure === url);
  if (!known?.endpoint) return { url, key };
  return usual === "http" ? { url: known.endpoint, key } : { url, key, authority: known.authority };
}

/**
 * Says on standard error that the URL is a guess: it comes neither from a service that runs nor from the options.
 * @param {string} state
 * @param {string} url
 */
function noteNoService(state, url) {
  const running = runningService(state);
  const what = running
    ? `${running.command} (process ${running.pid}) is not ready yet`
    : `No service runs on the state folder ${state}`;
  process.stderr.write(`${what}: this is for ${url}.\n`);
}

/**
 * Whether the host and the port that were given, if they were, are those of the service.
 * @param {RunningService} service
 * @param {AddressOptions} options
 */
function isMeant({ host, endpoint, secure }, options) {
  if (options.host !== undefined && options.host !== host) return false;
  return options.port === undefined || isPortOf(options.port, endpoint) || isPortOf(options.port, secure);
}

/**
 * @param {number | undefined} port
 * @param {string | undefined} url
 */
const isPortOf = (port, url) => url !== undefined && port !== undefined && portOf(url) === String(port);

/**
 * @param {AddressOptions} options
 * @returns {Address}
 */
function deployed({ endpoint: given }) {
  const { endpoint, key } = deployment();
  const url = given ?? endpoint;
  if (!url)
    throw new Problem(
      `It is not known where the service was deployed: deploy it from here (${typed("deploy")}), or say it with --endpoint URL.`,
    );
  if (!key)
    throw new Problem(
      "The access key of the deployed service is not known here: set WEBPUBSUB_ACCESS_KEY in the environment to it.",
    );
  return { url, key };
}
