// TLS in the native server itself: the files of a certificate, read again when the operator says so, and what other
// programs make of it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import tls from "node:tls";
import { promisify } from "node:util";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import WebSocket from "ws";
import { certificateFor, serviceFiles } from "../../scripts/service/authority.mjs";
import { which } from "../../scripts/processes.mjs";
import { frame } from "../support/raw.mjs";
import { Service } from "../support/service.mjs";
import { Queue, until, within } from "../support/waiting.mjs";

const run = promisify(execFile);
const JSON_V1 = "json.webpubsub.azure.v1";

describe("TLS in the native server", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "webpubsub-tls-"));
  const own = { cert: path.join(folder, "cert.pem"), key: path.join(folder, "key.pem") };
  const service = new Service({ runner: "server", https: own });

  /** Signs a certificate with an authority that no other has signed; returns what trusts it. */
  async function renew(name) {
    const state = path.join(folder, name);
    await certificateFor({ state, host: "localhost" });
    for (const file of /** @type {const} */ (["key", "cert"])) copyFileSync(serviceFiles(state)[file], own[file]);
    return path.join(state, "tls", "authority.pem");
  }
  let first;
  before(async () => {
    first = await renew("first");
    await service.start();
  });
  after(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  /** Whether a handshake succeeds for a client that trusts this authority. */
  const isTrusted = (authority) =>
    new Promise((resolve) => {
      const socket = tls.connect(
        { port: service.securePort, host: "127.0.0.1", servername: "localhost", ca: readFileSync(authority) },
        () => {
          socket.destroy();
          resolve(true);
        },
      );
      socket.on("error", () => resolve(false));
    });

  async function connect(hub, authority) {
    const client = new WebPubSubServiceClient(service.secureConnectionString, hub);
    const { url } = await client.getClientAccessToken();
    const socket = new WebSocket(url, JSON_V1, { ca: readFileSync(authority) });
    const frames = new Queue();
    socket.on("message", (data) => frames.push(JSON.parse(data.toString())));
    socket.on("close", (code) => frames.fail(new Error(`closed with ${code}`)));
    socket.on("error", (error) => frames.fail(error));
    assert.equal((await frames.next("the connected message")).event, "connected");
    return { socket, frames };
  }

  const noProc = process.platform !== "linux" && "it is read from /proc";
  test("it ends in the program: no other process listens", { skip: noProc }, () => {
    const listening = readFileSync(`/proc/${service.pid}/net/tcp`, "utf8");
    assert.match(
      listening,
      new RegExp(`:${service.securePort.toString(16).toUpperCase().padStart(4, "0")} 0{8}:0000 0A`),
    );
    assert.match(readFileSync(`/proc/${service.pid}/cmdline`, "utf8"), /--https-port\0\d+\0--cert\0/);
  });

  test("curl trusts it, in both versions of TLS and no older one", { skip: !which("curl") && "no curl" }, async () => {
    const url = `https://localhost:${service.securePort}/api/health`;
    const curl = (...args) => run("curl", ["-sS", "--fail", "-I", "--cacert", first, ...args, url]);
    for (const version of ["1.2", "1.3"])
      assert.match((await curl(`--tlsv${version}`, "--tls-max", version)).stdout, /^HTTP\/1\.1 200/);
    await assert.rejects(curl("--tlsv1.0", "--tls-max", "1.1"), /curl: \(35\)|curl: \(4\)/);
    // Whoever offers HTTP/2 is given HTTP/1.1.
    assert.match((await curl("--http2")).stdout, /^HTTP\/1\.1 200/);
  });

  test("openssl verifies the chain, the name and the address", {
    skip: !which("openssl") && "no openssl",
  }, async () => {
    for (const named of [
      ["-verify_hostname", "localhost"],
      ["-verify_ip", "127.0.0.1"],
    ]) {
      const args = ["s_client", "-connect", `127.0.0.1:${service.securePort}`, "-CAfile", first, "-x509_strict"];
      const asked = run("openssl", [...args, "-verify_return_error", "-brief", ...named]);
      asked.child.stdin?.end();
      const { stdout, stderr } = await asked;
      assert.match(stdout + stderr, /Verification: OK/);
    }
  });

  test("SIGHUP brings a new certificate and breaks nothing off", async () => {
    const { socket, frames } = await connect("renewed", first);
    assert.equal(await isTrusted(first), true);
    const second = await renew("second");
    assert.equal(await isTrusted(second), false, "the files alone change nothing");
    process.kill(service.pid, "SIGHUP");
    await until(async () => pass(10, await isTrusted(second)), "the new certificate");
    assert.equal(await isTrusted(first), false);
    socket.send(JSON.stringify({ type: "ping" }));
    assert.equal((await frames.next("a pong")).type, "pong");
    socket.terminate();
    first = second;
  });

  test("a certificate that is none is logged, and the last one kept", async () => {
    const [cert, key] = [readFileSync(own.cert), readFileSync(own.key)];
    for (const [file, content, words] of /** @type {const} */ ([
      ["cert", "nothing", /cert\.pem has no certificate in it/],
      ["key", "nothing", /key\.pem is not a PEM key: /],
      ["key", readFileSync(path.join(folder, "first", "tls", "authority-key.pem")), /cannot be used/],
    ])) {
      writeFileSync(own.cert, cert);
      writeFileSync(own.key, key);
      writeFileSync(own[file], content);
      const lines = () => service.output.split("\n").filter((line) => line.includes("reading the certificate again"));
      const before = lines().length;
      process.kill(service.pid, "SIGHUP");
      await until(() => pass(10, lines().length > before), "a line of the log");
      assert.match(JSON.parse(lines().at(-1) ?? "").error, words);
      assert.doesNotMatch(lines().at(-1) ?? "", /PRIVATE KEY|BEGIN/);
      assert.equal(await isTrusted(first), true);
    }
    writeFileSync(own.cert, cert);
    writeFileSync(own.key, key);
  });

  test("20 MB pass to one that reads slowly, in order and whole", async () => {
    const { socket, frames } = await connect("slowly", first);
    const client = new WebPubSubServiceClient(
      service.endpoint.replace(/^/, "Endpoint=") + `;AccessKey=${service.key};Version=1.0;`,
      "slowly",
      { allowInsecureConnection: true },
    );
    for (let n = 0; n < 20; n++) {
      socket.pause();
      await client.sendToAll(`${n} ${"x".repeat(1_000_000)}`, { contentType: "text/plain" });
      socket.resume();
      assert.equal(parseInt((await frames.next("a message")).data), n);
    }
    socket.terminate();
  });

  test("what comes with the upgrade is read, however much it is", async () => {
    const hub = service.newHub();
    const head = [
      `GET /client/hubs/${hub.name}?access_token=${hub.token()} HTTP/1.1`,
      `Host: 127.0.0.1:${service.port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      `Sec-WebSocket-Protocol: ${JSON_V1}\r\n\r\n`,
    ];
    // More than HTTP reads at once, and less than TLS has in a record.
    const pings = Array.from({ length: 600 }, () => frame(1, Buffer.from('{"type":"ping"}')));
    const socket = tls.connect({ port: service.securePort, host: "127.0.0.1", rejectUnauthorized: false });
    socket.on("secureConnect", () => socket.write(Buffer.concat([Buffer.from(head.join("\r\n")), ...pings])));
    let text = "";
    const answered = new Promise((resolve) =>
      socket.on("data", (data) => {
        text += data.toString("latin1");
        if (text.split('{"type":"pong"}').length > pings.length) resolve(undefined);
      }),
    );
    await within(answered, "a pong for each ping");
    socket.destroy();
  });

  test("peers that say nothing, or break off, cost no one else", async () => {
    const silent = Array.from({ length: 500 }, () =>
      tls.connect({ port: service.securePort, host: "127.0.0.1", rejectUnauthorized: false }),
    );
    await within(
      Promise.all(silent.map((socket) => new Promise((resolve) => socket.on("secureConnect", resolve)))),
      "handshakes",
    );
    assert.equal(await isTrusted(first), true);
    for (const socket of silent) socket.on("error", () => {}).destroy();
    const { socket } = await connect("after", first);
    socket.terminate();
  });
});
