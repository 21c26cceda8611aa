// A reverse proxy that ends TLS in front of a service, as nginx or a load balancer would.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";

export class TlsProxy {
  #server = https.createServer();
  /** @type {Set<import("node:net").Socket>} */
  #sockets = new Set();

  /**
   * The service that is behind it, which may start when the proxy's port is known.
   * @type {import("./service.mjs").Service | undefined}
   */
  service;

  /**
   * Listens at a free port; `keepHost` says whether the service is given the host that its callers ask, or its own.
   * @param {{ keepHost: boolean }} options
   */
  static async start({ keepHost }) {
    const proxy = new TlsProxy();
    const { key, certificate } = makeCertificate();
    const asked = (/** @type {http.IncomingMessage} */ { method, url, headers }) => {
      if (!proxy.service) throw new Error("there is no service yet");
      const { endpoint, port } = proxy.service;
      const host = keepHost ? headers.host : new URL(endpoint).host;
      return { host: "127.0.0.1", port, method, path: url, agent: false, headers: { ...headers, host } };
    };
    const server = https.createServer({ key, cert: certificate }, (request, response) => {
      const onward = http.request(asked(request), (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      request.pipe(onward);
    });
    server.on("upgrade", (request, socket) => {
      const onward = http.request(asked(request)).end();
      onward.on("response", (answer) => {
        socket.write(head(answer));
        answer.pipe(socket);
      });
      onward.on("upgrade", (answer, far, first) => {
        socket.write(head(answer));
        socket.write(first);
        socket.pipe(far).pipe(socket);
        for (const [one, other] of [
          [socket, far],
          [far, socket],
        ])
          one.on("error", () => other.destroy()).on("close", () => other.destroy());
      });
      onward.on("error", () => socket.destroy());
    });
    server.on("connection", (socket) => {
      proxy.#sockets.add(socket);
      socket.on("close", () => proxy.#sockets.delete(socket));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
    proxy.#server = server;
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    return Object.assign(proxy, { certificate, endpoint: `https://localhost:${port}`, host: `localhost:${port}` });
  }

  close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** The head of an answer as it goes over the wire. */
function head(/** @type {http.IncomingMessage} */ { statusCode, statusMessage, rawHeaders }) {
  const lines = rawHeaders.flatMap((name, n) => (n % 2 === 0 ? [`${name}: ${rawHeaders[n + 1]}`] : []));
  return [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, "", ""].join("\r\n");
}

/** A certificate for `localhost` that signs itself, and so is the authority to trust. */
function makeCertificate() {
  const folder = mkdtempSync(path.join(tmpdir(), "certificate-"));
  const [keyFile, certificateFile] = ["key.pem", "certificate.pem"].map((name) => path.join(folder, name));
  try {
    const request = ["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2"];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    execFileSync("openssl", [...request, ...names, "-keyout", keyFile, "-out", certificateFile], { stdio: "pipe" });
    return { key: readFileSync(keyFile, "utf8"), certificate: readFileSync(certificateFile, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
