// The commands around a service that runs: how it is refused a start, and what the others know of it.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { authorityFile, certificateFor } from "../../../scripts/service/authority.mjs";
import { ended, start } from "../../support/processes.mjs";
import { freePort } from "../../support/port.mjs";
import { root, Service } from "../../support/service.mjs";
import { claimsOf } from "../../support/token.mjs";
import { within } from "../../support/waiting.mjs";
import { cases } from "../../support/cases.mjs";

const LIMIT_MS = 180_000;
const STRONG = "a-strong-key-of-48-characters-for-these-commands_";

/** Runs a command to its end. */
async function type(script, args, env = {}) {
  let [stdout, stderr] = ["", ""];
  const child = start(process.execPath, [path.join(root, "scripts", `${script}.mjs`), ...args.map(String)], {
    cwd: root,
    env: { ...process.env, WEBPUBSUB_ACCESS_KEY: STRONG, ...env },
  });
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  return { status: await within(ended(child), `the end of ${script}`, LIMIT_MS), stdout, stderr };
}

const COMMANDS = { start: "npm start", serve: "npm run serve" };

for (const [runner, command] of Object.entries(COMMANDS)) {
  describe(`A start of ${command}`, () => {
    const folder = mkdtempSync(path.join(tmpdir(), "commands-"));
    after(() => rmSync(folder, { recursive: true, maxRetries: 5 }));
    const startWith = (args, env) =>
      type(runner, ["--port", 0, "--https-port", 0, "--state", path.join(folder, "state"), ...args], env);

    for (const [what, hub, words] of cases([
      ["a number that is too small", { shards: 0 }, /hubs\.h\.shards/],
      ["a word that there is not", { anonymousConnectPolicy: "perhaps" }, /anonymousConnectPolicy/],
    ])) {
      test(`settings with ${what} end it at once, with exit code 2`, async () => {
        const file = path.join(folder, "settings.json");
        writeFileSync(file, JSON.stringify({ hubs: { h: hub } }));
        const { status, stdout, stderr } = await startWith(["--settings", file]);
        assert.equal(status, 2, stderr);
        assert.match(stderr, /^The service is not set up: variable HUB_SETTINGS: [^\n]*\.\n$/);
        assert.match(stderr, words);
        assert.doesNotMatch(stdout, /listening|ready/);
      });
    }

    test("an invalid certificate ends it with words and exit code 2", async () => {
      const [cert, key] = ["cert.pem", "key.pem"].map((name) => path.join(folder, name));
      for (const file of [cert, key]) writeFileSync(file, "nothing of the kind");
      const { status, stderr } = await startWith(["--cert", cert, "--key", key]);
      assert.equal(status, 2);
      assert.match(stderr, /^--cert \S+ and --key \S+ are not a PEM certificate and its key: [^\n]*\n$/);
    });
  });

  describe(`Beside a service of ${command}`, () => {
    const service = new Service({ runner, https: true });
    const port = (url) => Number(new URL(url).port);
    before(() => service.start());
    after(() => service.stop());

    for (const other of Object.keys(COMMANDS)) {
      test(`a second service on its state is refused by name (npm ${other})`, async () => {
        const { status, stderr } = await type(other, ["--port", await freePort(), "--state", service.state]);
        assert.equal(status, 2);
        const expected = `^${command} \\(process \\d+ at http://localhost:${service.port}\\) runs on the state folder ${service.state}\\. [^\\n]*--state DIR\\.\\n$`;
        assert.match(stderr, new RegExp(expected));
      });
    }

    test("its connection string is https first; what to trust is apart", async () => {
      const { stdout, stderr } = await type("connection-string", ["--state", service.state]);
      assert.equal(stdout, `Endpoint=https://localhost:${service.securePort};AccessKey=${STRONG};Version=1.0;\n`);
      assert.equal(stderr, `export NODE_EXTRA_CA_CERTS=${service.authority}\n`);
      const plain = {
        stdout: `Endpoint=http://localhost:${service.port};AccessKey=${STRONG};Version=1.0;\n`,
        stderr: "",
        status: 0,
      };
      assert.deepEqual(await type("connection-string", ["--state", service.state, "--http"]), plain);
      assert.deepEqual(
        await type("connection-string", ["--state", service.state, "--port", service.port, "--http"]),
        plain,
      );
    });

    if (runner === "start") {
      test("its greeting has https first, and how to have Node trust it", () => {
        const secure = `https://localhost:${service.securePort}`;
        assert.match(
          service.output,
          new RegExp(
            `^ {2}Endpoint +${secure}\n +http://localhost:${service.port}\n {2}Connection string +Endpoint=${secure};`,
            "m",
          ),
        );
        assert.match(service.output, new RegExp(`^ {2}export NODE_EXTRA_CA_CERTS=${service.authority}$`, "m"));
      });
    }

    if (runner === "start") {
      test("the link in its greeting signs in once", async () => {
        const [, page, ticket, https] =
          /^ {2}Page +(http\S+\/)#ticket=([^\s&]+)&https=(\d+)$/m.exec(service.output) ?? [];
        assert.equal(Number(https), service.securePort);
        assert.equal(page, `http://localhost:${service.port}/`);
        const signIn = () =>
          fetch(`${page}management/session`, {
            method: "POST",
            headers: { "X-Portal": "1" },
            body: JSON.stringify({ ticket }),
          });
        const { status, headers } = await signIn();
        assert.equal(status, 204);
        const session = { cookie: headers.get("set-cookie")?.split(";")[0] ?? "", "X-Portal": "1" };
        assert.equal((await fetch(`${page}management/hubs`, { headers: session })).status, 200);
        assert.equal((await signIn()).status, 401);
      });
    }

    test("its client URLs and tokens are for http, or https if asked", async () => {
      const forms = async (script, ...args) => {
        const of = async (...more) => (await type(script, [...args, "--state", service.state, ...more])).stdout.trim();
        return [await of(), await of("--https"), await of("--port", service.securePort)];
      };
      const urls = await forms("client-url", "--hub", "h");
      assert.deepEqual(
        urls.map((url) => url.split("/client/")[0]),
        [`ws://localhost:${service.port}`, ...Array(2).fill(`wss://localhost:${service.securePort}`)],
      );
      const tokens = await forms("token", "--path", "/management/hubs");
      assert.deepEqual(
        tokens.map((token) => port(claimsOf(token).aud)),
        [service.port, service.securePort, service.securePort],
      );
    });

    test("by its port it is found, too", async () => {
      for (const its of [service.port, service.securePort]) {
        const { stdout, stderr } = await type("connection-string", ["--port", its]);
        assert.equal(stdout, `Endpoint=https://localhost:${service.securePort};AccessKey=${STRONG};Version=1.0;\n`);
        assert.equal(stderr, `export NODE_EXTRA_CA_CERTS=${service.authority}\n`);
      }
    });

    test("another port than its own is taken at its word", async () => {
      const other = await freePort();
      const { stdout, stderr } = await type("connection-string", ["--state", service.state, "--port", other]);
      assert.equal(stdout, `Endpoint=http://localhost:${other};AccessKey=${STRONG};Version=1.0;\n`);
      assert.equal(stderr, "");
    });

    test("after a crash nothing of it hinders the next start", async () => {
      await service.crash();
      assert.match(
        (await type("connection-string", ["--state", service.state])).stdout,
        /^Endpoint=http:\/\/localhost:8080;/,
      );
      await service.start();
      assert.match((await type("connection-string", ["--state", service.state])).stdout, /^Endpoint=https:/);
    });

    test("at its end it says that no service runs there any more", async () => {
      assert.equal(await service.end(), 0);
      assert.equal(existsSync(path.join(service.state, "service.json")), false);
    });
  });
}

describe("A state folder", () => {
  test("is one service's where two want it at once", async (t) => {
    const services = [new Service(), new Service()];
    t.after(() => Promise.all(services.map((service) => service.stop())));
    rmSync(services[1].state, { recursive: true });
    services[1].state = services[0].state;
    const outcomes = await Promise.allSettled(services.map((service) => service.start()));
    const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    assert.equal(refused.length, 1);
    assert.match(
      refused[0].message,
      new RegExp(
        `ended with 2 before it was ready:[^]*npm run ${services[0].runner} \\(process \\d+.*\\) runs on the state folder`,
      ),
    );
  });
});

describe("A port for https that is in use", () => {
  test("is said before anything is built", async (t) => {
    const first = new Service({ runner: "start" });
    t.after(() => first.stop());
    await first.start();
    const state = mkdtempSync(path.join(tmpdir(), "commands-"));
    t.after(() => rmSync(state, { recursive: true, maxRetries: 5 }));
    const { status, stderr } = await type("serve", ["--port", 0, "--state", state, "--https-port", first.securePort]);
    assert.equal(status, 2);
    assert.match(
      stderr,
      new RegExp(`^Port ${first.securePort} is in use\\..*--https-port ${first.securePort + 1} .*\\n$`),
    );
  });
});

describe("The usual port for https", () => {
  test("leaves npm start another one where it is taken", async (t) => {
    // If it cannot be taken here, somebody else has it.
    const taker = net
      .createServer()
      .listen(8443, "127.0.0.1")
      .on("error", () => {});
    t.after(() => taker.close());
    const service = new Service({ runner: "start", https: "at the usual port" });
    t.after(() => service.stop());
    await service.start();
    assert.notEqual(service.securePort, 8443);
  });
});

describe("A certificate of one's own", () => {
  test("is served, and its authority is for the operator to know", async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), "commands-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const made = await certificateFor({ state: folder, host: "own.example" });
    const [cert, key] = ["cert", "key"].map((name) => path.join(folder, `${name}.pem`));
    writeFileSync(cert, made.cert);
    writeFileSync(key, made.key);
    const service = new Service({ https: { cert, key } });
    t.after(() => service.stop());
    await service.start();

    const ca = readFileSync(authorityFile(folder));
    const socket = tls.connect({ port: service.securePort, host: "127.0.0.1", servername: "own.example", ca });
    await within(once(socket, "secureConnect"), "a handshake");
    assert.equal(socket.getPeerX509Certificate()?.fingerprint256, new X509Certificate(made.cert).fingerprint256);
    socket.destroy();
    assert.equal(existsSync(service.authority), false);
    const { stdout, stderr } = await type("connection-string", ["--state", service.state]);
    assert.match(stdout, new RegExp(`^Endpoint=https://localhost:${service.securePort};`));
    assert.equal(stderr, "");
  });
});

describe("A weak access key", () => {
  test("is warned of, and served all the same", async (t) => {
    const weak = new Service({ key: "k".repeat(31) });
    t.after(() => weak.stop());
    await weak.start();
    assert.match(
      weak.output,
      /^WEBPUBSUB_ACCESS_KEY has fewer than 32 bytes and can be guessed\. .*deploy refuses it\.$/m,
    );
    assert.equal(await weak.newHub().exists("/users/unknown"), false);
    const strong = new Service();
    t.after(() => strong.stop());
    await strong.start();
    assert.doesNotMatch(strong.output, /guessed/);
  });
});
