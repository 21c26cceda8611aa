// TLS in front of the service: what becomes of connections whose handshake fails.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, connect as plainly } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { certificateFor } from "../../scripts/service/authority.mjs";
import { listenSecurely } from "../../scripts/service/secure.mjs";
import { portOf } from "../support/port.mjs";

const host = "127.0.0.1";

/** A client that ends before its handshake does, and never answers what it is sent. */
async function endWithinTheHandshake(port) {
  const socket = plainly({ host, port, allowHalfOpen: true });
  await once(socket, "connect");
  socket.end();
  return socket;
}

/** A client that does not trust the certificate. */
async function refuseTheCertificate(port) {
  const [error] = await once(connect({ host, port }), "error");
  assert.equal(error.code, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
}

describe("TLS in front of a service", () => {
  const state = mkdtempSync(join(tmpdir(), "secure-"));
  const service = createServer().listen(0, host);
  before(() => once(service, "listening"));
  after(() => {
    service.close();
    rmSync(state, { recursive: true });
  });
  const listen = (more) =>
    listenSecurely({
      host,
      port: 0,
      to: { host, port: portOf(service) },
      certificate: () => certificateFor({ state, host }),
      ...more,
    });

  test("a connection whose handshake does not end is closed", async () => {
    const secure = await listen({ handshakeTimeout: 100 });
    const socket = await endWithinTheHandshake(secure.port);
    await once(socket.resume(), "end");
    await secure.close();
  });

  for (const [what, fail] of Object.entries({
    "ended within the handshake": endWithinTheHandshake,
    "do not trust it": refuseTheCertificate,
  })) {
    test(`it ends beside clients that ${what}`, async () => {
      const secure = await listen();
      await fail(secure.port);
      await secure.close();
    });
  }
});
