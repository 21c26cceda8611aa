// The documents' event handler, typed as it stands there: commands and files come from docs/event-handlers.md. Only the
// ports are others, and the access key comes from the environment.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, describe, test } from "node:test";
import { documentBlock, documents } from "../support/documents.mjs";
import { freePort } from "../support/port.mjs";
import { isNative, root, Service } from "../support/service.mjs";
import { Shell } from "../support/shell.mjs";
import { cases } from "../support/cases.mjs";

const demo = path.join(root, "build", "quickstart", "eventHandlerDemo");
/** What the documents say in sentences. */
const MICROSOFTS_CLIENT = "npm install @azure/web-pubsub-client@1";
const PRIVATE = "ALLOW_PRIVATE_EVENT_HANDLERS=on";
const IMPORTS = { "our client": "@webpubsub-edge/client", "Microsoft's client": "@azure/web-pubsub-client" };

/** Starts commands of the documents for this service, until the test ends. */
function typed(t, service, commands) {
  const adapted = commands
    .replaceAll("localhost:8080", `localhost:${service.port}`)
    .replace("token -- ", `token -- --port ${service.port} `)
    .replace("client-url -- ", `client-url -- --port ${service.port} `);
  const shell = new Shell(adapted, { WEBPUBSUB_ACCESS_KEY: service.key });
  t.after(() => shell.stop());
  return shell;
}

describe("The quickstart's event handler", () => {
  before(async () => {
    const built = new Service();
    await built.start();
    await built.stop();
    rmSync(demo, { recursive: true, force: true });
    mkdirSync(path.dirname(demo), { recursive: true });
    await new Shell(documentBlock("handler")).done();
    await new Shell(`cd build/quickstart/eventHandlerDemo\n${MICROSOFTS_CLIENT}`).done();
  });

  test("is in the documents' sentences as this test runs it", () => {
    for (const words of [
      `\`${MICROSOFTS_CLIENT}\``,
      `\`npm run serve -- --var ${PRIVATE}\``,
      "`npm start -- --settings settings.json`",
    ]) {
      assert.ok(documents().includes(words), words);
    }
  });

  test("the documents' requests to /management are answered", async (t) => {
    const service = new Service({
      variables: Object.fromEntries([PRIVATE.split("=")]),
      settings: JSON.parse(documentBlock("settings.json")),
    });
    t.after(() => service.stop());
    await service.start();
    const labels = [
      "management",
      "metrics",
      "shards",
      "deliveries",
      "test-handler",
      "configure-secret",
      "close-sockets",
    ];
    for (const label of [...labels, "rotate"]) await typed(t, service, documentBlock(label)).done();
  });

  const [eager, other] = isNative ? ["server", "server"] : ["start", "serve"];
  for (const [runner, shards, by] of cases([
    [eager, 1, "curl"],
    [other, 4, "curl"],
    [eager, 4, "a file"],
    [other, 1, "a file"],
  ])) {
    const title = `receives a client's event and answers: npm run ${runner}, ${shards} ${shards === 1 ? "shard" : "shards"}, its settings by ${by}`;

    test(title, async (t) => {
      const port = await freePort();
      const handlersPort = (text) =>
        text.replaceAll("localhost:3000", `localhost:${port}`).replace("listen(3000", `listen(${port}`);
      const variables = runner !== "start" ? Object.fromEntries([PRIVATE.split("=")]) : {};
      const settings = by === "a file" ? JSON.parse(handlersPort(documentBlock("settings.json"))) : undefined;
      const service = new Service({ runner, shards, variables, settings });
      t.after(() => service.stop());
      await service.start();
      const type = (label) => typed(t, service, handlersPort(documentBlock(label)));

      writeFileSync(path.join(demo, "server.js"), handlersPort(documentBlock("eventHandlerDemo/server.js")));
      const server = type("serve-events");
      assert.equal(await server.lines.next("the server"), `Listening on http://localhost:${port}`);
      if (by === "curl") await type("configure").done();
      for (const [whose, name] of Object.entries(IMPORTS)) {
        writeFileSync(
          path.join(demo, "client.js"),
          documentBlock("eventHandlerDemo/client.js").replace(IMPORTS["our client"], name),
        );
        const client = type("send");
        assert.equal(await client.lines.next("the answer"), "Received message Hey sending custom event!", whose);
        // The two are sent in no order of their own.
        const printed = [await server.lines.next("the first line"), await server.lines.next("the second line")];
        assert.deepEqual(printed.sort(), ['"alice" is connected.', "Received message: sending custom event!"], whose);
        await client.stop();
      }
    });
  }
});
