// https beside the service: TLS ends here, and what is in it goes on to the service's port as it is.
//
// Bytes are passed on and not requests, so WebSockets, large bodies, connections that stay and `Host` are the service's
// own affair, whatever runs it.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createSecureContext, createServer } from "node:tls";
import { codeOf, messageOf } from "../errors.mjs";
import { UsageProblem } from "../terminal.mjs";
import { listenProblem, portOf, reachable } from "./ready.mjs";

const HANDSHAKE_WITHIN_MS = 20_000;
const CLOSE_WITHIN_MS = 1_000;
/** How often a certificate is looked at that may have been renewed. */
export const LOOK_EVERY_MS = 24 * 60 * 60_000;

/**
 * Where it listens, and how it ends.
 * @typedef {{ port: number, refuse(): void, close(): Promise<void> }} SecureListener
 */

/**
 * Listens at `port` of `host` (0: any free one) and passes everything on to the service at `to`. `certificate()` gives
 * the certificate and its key, as PEM; it is asked again every day, so that one that was renewed comes into force.
 * @param {{
 *   host: string, port: number, to: { host: string, port: number }, certificate: () => Promise<{ cert: string, key: string }>,
 *   handshakeTimeout?: number,
 * }} options
 * @returns {Promise<SecureListener>}
 */
export async function listenSecurely({ host, port, to, certificate, handshakeTimeout = HANDSHAKE_WITHIN_MS }) {
  let current = await certificate();
  const server = createServer({
    ...current,
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.2",
    handshakeTimeout,
    allowHalfOpen: true,
  });
  /** @type {Set<import("node:net").Socket>} */
  const open = new Set();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  server.on("secureConnection", (client) => {
    const service = connect({ host: reachable(to.host), port: to.port, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    passOn(client, service);
    passOn(service, client);
  });
  // A handshake that fails is the client's affair: it knows why. Node leaves the connection open.
  server.on("tlsClientError", (_, client) => client.destroy());

  await /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      server.once("error", (error) => reject(listenProblem(error, { host, port, flag: "--https-port" })));
      server.listen({ host, port }, resolve);
    })
  );
  const looking = setInterval(async () => {
    const next = await certificate().catch(() => current);
    if (next.cert !== current.cert) server.setSecureContext((current = next));
  }, LOOK_EVERY_MS).unref();

  /** @type {Promise<unknown> | undefined} */
  let closed;
  /** @type {SecureListener} */
  const listener = {
    port: portOf(server),

    /** Takes no more connections; those that are there go on. */
    refuse() {
      clearInterval(looking);
      closed ??= new Promise((resolve) => server.close(resolve));
    },

    /** Takes no more connections, and waits a moment for what is on its way to those that are there. */
    async close() {
      listener.refuse();
      const late = setTimeout(() => open.forEach((socket) => socket.destroy()), CLOSE_WITHIN_MS);
      await closed;
      clearTimeout(late);
    },
  };
  return listener;
}

/**
 * Passes on bytes as fast as they are taken, then the end; a connection that breaks breaks the other one.
 * @param {import("node:net").Socket} from
 * @param {import("node:net").Socket} to
 */
function passOn(from, to) {
  from.pipe(to);
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroySoon());
}

/**
 * The certificate in files; a problem where there is none.
 * @param {import("../options.mjs").CertificateFiles} files
 */
export function certificateIn({ cert, key }) {
  const [certificate, itsKey] = [read("--cert", cert), read("--key", key)];
  try {
    createSecureContext({ cert: certificate, key: itsKey });
  } catch (error) {
    throw new UsageProblem(
      `--cert ${cert} and --key ${key} are not a PEM certificate and its key: ${messageOf(error)}.`,
    );
  }
  return { cert: certificate, key: itsKey };
}

/**
 * @param {string} flag
 * @param {string} file
 */
function read(flag, file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageProblem(`${flag}: ${file} cannot be read (${codeOf(error) ?? messageOf(error)}).`);
  }
}
