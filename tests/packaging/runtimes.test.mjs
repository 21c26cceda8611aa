// The package in everything that it promises to run in: losses and refusals of every kind.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { runtimes } from "../../scripts/setup/runtimes.mjs";
import { ScriptedService } from "../client/scripted-service.mjs";
import { Queue } from "../support/waiting.mjs";
import { Project, echo, echoed } from "./project.mjs";

/** How each kind of runtime runs a script in a project whose packages are installed. */
const start = { node: [], bun: ["run"], deno: ["run", "--allow-all", "--node-modules-dir=manual", "--cached-only"] };

const imports = `
  import process from "node:process";
  import { WebPubSubClient, WebPubSubJsonProtocol } from "@webpubsub-edge/client";`;
const requires = `
  const process = require("node:process");
  const { WebPubSubClient, WebPubSubJsonProtocol } = require("@webpubsub-edge/client");`;
const app = `
  const [scenario, url] = process.argv.slice(2);
  const say = (...words) => console.log(JSON.stringify(words));
  const listenTo = (client) => {
    for (const name of ["connected", "recovering", "recovered", "disconnected", "stopped"]) client.on(name, () => say(name));
    client.on("server-message", () => client.stop());
  };
  const scenarios = {
    async echo() {
      ${echo}
      say(result);
    },
    async start() {
      const error = await new WebPubSubClient(url).start().catch((error) => error);
      say(error.name, error.problem, error.status ?? null, error.detail ?? null);
    },
    async uncaught() {
      await new WebPubSubClient(url).start();
    },
    async reconnect() {
      const options = { protocol: WebPubSubJsonProtocol(), reconnectRetryOptions: { retryDelayInMs: 20 } };
      const getClientAccessUrl = async () => (say("asked"), url);
      const client = new WebPubSubClient({ getClientAccessUrl }, options);
      listenTo(client);
      await client.start();
    },
    async recover() {
      const client = new WebPubSubClient(url);
      listenTo(client);
      await client.start();
    },
  };
  scenarios[scenario]();
`;

const goodbye = { type: "message", from: "server", dataType: "text", data: "stop" };

let project, remove;
before(async () => {
  project = await Project.install({ after: (clean) => (remove = clean) }, { type: "module" });
  project.write("app.mjs", imports + app);
  project.write("app.cjs", requires + app);
});
after(() => remove());

for (const { name, kind, program } of [
  { name: `node ${process.versions.node}`, kind: "node", program: process.execPath },
  ...runtimes,
]) {
  describe(name, () => {
    /** Runs a scenario: what it says, word by word, and its end. */
    function run(t, scenario, url, script = "app.mjs") {
      const child = spawn(program, [...start[kind], script, scenario, url], {
        cwd: project.folder,
        env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      t.after(() => child.kill());
      const said = new Queue();
      createInterface({ input: child.stdout }).on("line", (line) => said.push(JSON.parse(line)));
      let complaints = "";
      child.stderr.on("data", (chunk) => (complaints += chunk));
      const closed = once(child, "close").then(([code]) => ({ code, complaints }));
      const ended = async () => assert.deepEqual(await closed, { code: 0, complaints: "" });
      return { next: () => said.next("a word of the application"), closed, ended };
    }

    async function service(t, port) {
      const service = await ScriptedService.start(port);
      t.after(() => service.stop().catch(() => {}));
      return service;
    }

    for (const [how, script] of [
      ["imported", "app.mjs"],
      ["required", "app.cjs"],
    ]) {
      test(`${how}, it connects, echoes and stops, and the process ends`, async (t) => {
        const echoing = await service(t);
        const { next, ended } = run(t, "echo", echoing.url, script);
        (await echoing.connection()).connected("c1");
        assert.deepEqual(await next(), [echoed]);
        await ended();
      });
    }

    test("nothing listening: start rejects", async (t) => {
      const gone = await service(t);
      const { url } = gone;
      await gone.stop();
      const { next, ended } = run(t, "start", url);
      assert.deepEqual((await next()).slice(0, 3), ["ConnectError", "unreachable", null]);
      await ended();
    });

    test("a refused upgrade rejects start, on Node with its status", async (t) => {
      const refusing = await service(t);
      refusing.refuseWith = 401;
      refusing.refusal = { type: "text/plain", body: "The token has expired." };
      const { next, ended } = run(t, "start", refusing.url);
      const known = kind === "node" ? [401, "The token has expired."] : [null, null];
      assert.deepEqual(await next(), ["ConnectError", "refused", ...known]);
      await ended();
    });

    test("an uncaught error prints as an error", async (t) => {
      const refusing = await service(t);
      refusing.refuseWith = 401;
      const { code, complaints } = await run(t, "uncaught", refusing.url).closed;
      assert.equal(code, 1);
      assert.match(
        complaints,
        /ConnectError: Failed to start WebSocket: ws:\/\/127\.0\.0\.1:\d+\/client\/hubs\/chat refused the connection/,
      );
      assert.ok(complaints.length < 3000, `${complaints.length} characters:\n${complaints}`);
    });

    test("a service that is away: the client connects when it is back", async (t) => {
      const first = await service(t);
      const { port, url } = first;
      const { next, ended } = run(t, "reconnect", url);
      (await first.connection()).connected("c1");
      assert.deepEqual([await next(), await next()], [["asked"], ["connected"]]);
      await first.stop();
      assert.deepEqual(await next(), ["disconnected"]);
      // Each attempt ends before the next one asks for a URL.
      for (let attempts = 0; attempts < 5; attempts++) assert.deepEqual(await next(), ["asked"]);
      const second = await service(t, port);
      const connection = await second.connection();
      connection.connected("c2");
      let word;
      while ((word = await next())[0] === "asked");
      assert.deepEqual(word, ["connected"]);
      connection.say(goodbye);
      assert.deepEqual([await next(), await next()], [["disconnected"], ["stopped"]]);
      await ended();
    });

    test("a lost link: recovery outlasts closed port, reset, refusal", async (t) => {
      const first = await service(t);
      const { port, url } = first;
      const { next, ended } = run(t, "recover", url);
      (await first.connection()).connected("c1");
      assert.deepEqual(await next(), ["connected"]);
      await first.stop();
      assert.deepEqual(await next(), ["recovering"]);
      // The first attempt met a closed port; this is the second one.
      const resetting = createServer((socket) => socket.destroy());
      await once(resetting.listen(port, "127.0.0.1"), "listening");
      await once(resetting, "connection");
      resetting.close();
      await once(resetting, "close");
      const second = await service(t, port);
      second.refuseWith = 503;
      await second.upgrade();
      second.refuseWith = undefined;
      const connection = await second.connection();
      assert.equal(connection.query.awps_connection_id, "c1");
      assert.deepEqual(await next(), ["recovered"]);
      connection.say({ ...goodbye, sequenceId: 1 });
      assert.deepEqual([await next(), await next()], [["disconnected"], ["stopped"]]);
      await ended();
    });
  });
}
