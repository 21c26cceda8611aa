// https beside http: a certificate that clients of every kind take once they know its authority, and everything that
// goes through it as it does without.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { ended, start } from "../../support/processes.mjs";
import { runPython } from "../../support/python.mjs";
import { isNative, root, Service } from "../../support/service.mjs";
import { clientClaims, sign } from "../../support/token.mjs";
import { deferred, Queue, within } from "../../support/waiting.mjs";

const JSON_V1 = "json.webpubsub.azure.v1";
const VERSION = "2024-12-01";

/** What Microsoft's quickstart has as publish.js: two arguments, CommonJS. */
const PUBLISH = `
const { WebPubSubServiceClient } = require("@azure/web-pubsub");
const hub = process.argv[1];
let service = new WebPubSubServiceClient(process.env.WebPubSubConnectionString, hub);
service.sendToAll("Hello World", { contentType: "text/plain" });
`;

for (const runner of isNative ? ["server"] : ["start", "serve"]) {
  describe(`https under npm ${runner === "start" ? "start" : `run ${runner}`}`, () => {
    const service = new Service({ runner, https: true });
    let ca;
    before(async () => {
      await service.start();
      ca = readFileSync(service.authority);
    });
    after(() => service.stop());

    /**
     * One request; its connection is the agent's.
     * @param {string} method
     * @param {string} target
     * @param {{ agent?: https.Agent, headers?: Record<string, string | number>, body?: string | Buffer }} options
     */
    function ask(method, target, { agent, headers = {}, body } = {}) {
      const authorization = `Bearer ${sign({ aud: `${service.secure}${target}` }, service.key)}`;
      const answer = new Promise((resolve, reject) => {
        const sent = https.request(
          `${service.secure}${target}`,
          { method, ca, agent, headers: { authorization, ...headers } },
          async (response) => {
            const text = (await response.setEncoding("utf8").toArray()).join("");
            resolve({ status: response.statusCode, text, reused: sent.reusedSocket });
          },
        );
        sent.on("error", reject).end(body);
      });
      return within(answer, `an answer to ${method} ${target}`);
    }

    const send = (hub, body, options = {}) =>
      ask("POST", `/api/hubs/${hub}/:send?api-version=${VERSION}`, {
        ...options,
        body,
        headers: { "content-type": "text/plain", "content-length": Buffer.byteLength(body) },
      });

    /** A connection to a hub by wss, with the frames that it is sent. */
    async function connect(hub, options) {
      const audience = `${service.secure}/client/hubs/${hub}`;
      const token = sign(clientClaims({ audience, ...options }), service.key);
      const socket = new WebSocket(`${audience.replace("https", "wss")}?access_token=${token}`, JSON_V1, { ca });
      const frames = new Queue();
      socket.on("message", (data) => frames.push(JSON.parse(data.toString())));
      socket.on("error", (error) => frames.fail(error));
      assert.equal((await frames.next("the connected message")).event, "connected");
      return { socket, frames };
    }

    test("a client that knows the authority trusts names and addresses", async () => {
      for (const servername of ["localhost", undefined]) {
        const trusted = deferred();
        const options = servername
          ? { servername }
          : { checkServerIdentity: (_, certificate) => tls.checkServerIdentity("127.0.0.1", certificate) };
        const socket = tls.connect({ port: service.securePort, host: "127.0.0.1", ca, ...options }, () =>
          trusted.resolve(socket.authorized),
        );
        socket.on("error", trusted.reject);
        assert.equal(await within(trusted.promise, "a handshake"), true, `${servername}`);
        socket.destroy();
      }
      assert.equal((await ask("HEAD", `/api/health?api-version=${VERSION}`)).status, 200);
    });

    test("a client that does not know the authority does not trust it", async () => {
      await assert.rejects(fetch(`${service.secure}/api/health`), ({ cause }) =>
        /SELF_SIGNED|UNABLE_TO/.test(cause.code),
      );
    });

    test("keys and folders of the state are their owner's alone", () => {
      const open = [];
      for (const entry of readdirSync(service.state, { recursive: true, withFileTypes: true })) {
        const file = path.join(entry.parentPath, entry.name);
        if ((statSync(file).mode & 0o777) !== (entry.isDirectory() ? 0o700 : 0o600)) open.push(file);
      }
      assert.deepEqual(open, []);
    });

    test("requests share a connection, and a megabyte passes whole", async () => {
      const { socket, frames } = await connect("large");
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
      const texts = ["x".repeat(1_048_576), "short", "y".repeat(500_000)];
      const reused = [];
      for (const text of texts) {
        const { status, reused: its } = await send("large", text, { agent });
        assert.equal(status, 202);
        reused.push(its);
      }
      assert.deepEqual(reused, [false, true, true]);
      for (const text of texts) assert.equal((await frames.next("a message")).data, text);
      agent.destroy();
      socket.terminate();
    });

    test("a WebSocket carries large frames both ways, and its close", async () => {
      const one = await connect("sockets", {
        roles: ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"],
        groups: ["g"],
      });
      const data = "z".repeat(900_000);
      one.socket.send(JSON.stringify({ type: "sendToGroup", group: "g", dataType: "text", data, ackId: 1 }));
      const both = [await one.frames.next("the first"), await one.frames.next("the second")];
      assert.equal(both.find(({ type }) => type === "message").data, data);
      assert.equal(both.find(({ type }) => type === "ack").success, true);
      const closed = new Promise((resolve) => one.socket.on("close", resolve));
      one.socket.close(1000);
      assert.equal(await within(closed, "the close"), 1000);
    });

    test("a client that breaks off or speaks no TLS disturbs no other", async () => {
      const { socket, frames } = await connect("others");
      const plain = net.connect(service.securePort, "127.0.0.1", () =>
        plain.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      );
      // It may be sent an alert first.
      plain.resume();
      await within(
        new Promise((resolve) => plain.on("error", () => {}).on("close", resolve)),
        "the end of a plain connection",
      );
      const wire = net.connect(service.securePort, "127.0.0.1");
      const rude = tls.connect({ socket: wire, ca, servername: "localhost" });
      await within(new Promise((resolve) => rude.on("secureConnect", resolve)), "a handshake");
      rude.on("error", () => {});
      rude.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf a", () =>
        wire.resetAndDestroy(),
      );
      await within(new Promise((resolve) => wire.on("close", resolve)), "the reset");
      assert.equal((await send("others", "still here")).status, 202);
      assert.equal((await frames.next("a message")).data, "still here");
      socket.terminate();
    });

    test("Microsoft's two-argument publish.js runs unmodified", async () => {
      const { socket, frames } = await connect("hub1");
      const env = {
        ...process.env,
        NODE_EXTRA_CA_CERTS: service.authority,
        WebPubSubConnectionString: service.secureConnectionString,
      };
      let output = "";
      const child = start(process.execPath, ["--input-type=commonjs", "--eval", PUBLISH, "hub1"], {
        env,
        cwd: root,
        onOutput: (text) => (output += text),
      });
      assert.equal(await within(ended(child), "the end of publish.js"), 0, output);
      assert.equal((await frames.next("the message")).data, "Hello World");
      socket.terminate();
    });

    for (const kind of ["sync", "aio"]) {
      test(`Microsoft's package for Python publishes over https (${kind})`, async () => {
        const { socket, frames } = await connect("python");
        const script = fileURLToPath(new URL("../../sdk/publish.py", import.meta.url));
        const url = await runPython(script, [kind, service.secureConnectionString, "python", service.authority]);
        assert.match(url, new RegExp(`^wss://127\\.0\\.0\\.1:${service.securePort}/client/hubs/python\\?`));
        assert.equal((await frames.next("the message")).data, "from Python");
        socket.terminate();
      });
    }

    test("the authority is kept and trusted after a restart", async () => {
      await service.crash();
      await service.start();
      assert.deepEqual(readFileSync(service.authority), ca);
      assert.equal((await ask("HEAD", `/api/health?api-version=${VERSION}`)).status, 200);
    });

    test("SIGTERM ends the service and both of its ports", async () => {
      const { socket } = await connect("ending");
      const closed = new Promise((resolve) => socket.on("close", resolve).on("error", () => {}));
      assert.equal(await service.end(), 0);
      await within(closed, "the end of the socket");
      for (const port of [service.port, service.securePort]) {
        const refused = new Promise((resolve) =>
          net
            .connect(port, "127.0.0.1", () => resolve("taken"))
            .on("error", (/** @type {NodeJS.ErrnoException} */ { code }) => resolve(code)),
        );
        assert.equal(await within(refused, "an answer"), "ECONNREFUSED");
      }
    });
  });
}
