// The README's quickstart, typed as it stands there: its commands and files come from README.md itself. Only the
// state folder is another one, the access key comes from the environment, and subscribers have names.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { launchChromium, openPage } from "../support/browser.mjs";
import { Hub } from "../support/hub.mjs";
import { documentBlock, documents } from "../support/documents.mjs";
import { isNative, root, Service } from "../support/service.mjs";
import { Shell } from "../support/shell.mjs";
import { until } from "../support/waiting.mjs";

const folder = path.join(root, "build", "quickstart");
const SUBSCRIBERS = ["subscribe.js", "subscribe.js", "subscribe.js", "microsoft.js", "bare.js"];

const type = (commands, env) => new Shell(commands, env);
const save = (file) => writeFileSync(path.join(folder, file), documentBlock(file));
/** The same commands for a service with another state folder, and a URL with a name in it that can be asked for. */
/** @type {(commands: string, place: { state: string, user?: string }) => string} */
const adapt = (commands, { state, user }) =>
  commands
    .replace("connection-string", `connection-string -- --state ${state}`)
    .replace("client-url -- ", `client-url -- --state ${state} --user ${user} `)
    .replace("$PWD/.state/", `${state}/`);
/** The commands that the README names in a sentence. */
const inTheSubscribersFolder =
  "cd build/quickstart/subscriber\nnpm install @azure/web-pubsub-client@1\nnpm install ws@8\n";

describe("The quickstart", () => {
  let browser;
  before(async () => {
    const built = new Service();
    await built.start();
    await built.stop();
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const label of ["subscriber", "publisher"]) await type(documentBlock(label)).done();
    await type(inTheSubscribersFolder).done();
    for (const file of [
      "subscriber/subscribe.js",
      "subscriber/microsoft.js",
      "subscriber/bare.js",
      "publisher/publish.js",
    ])
      save(file);
    browser = await launchChromium();
  });
  after(() => browser?.close());

  test("names in its sentences what this test installs and serves", () => {
    assert.ok(documents().includes("`npm run serve -- --https`"));
    const [, ...commands] = inTheSubscribersFolder.trim().split("\n");
    for (const command of commands) assert.ok(documents().includes(`\`${command}\``), command);
  });

  test("publish.js is as for Azure: CommonJS, with two arguments", () => {
    const publish = documentBlock("publisher/publish.js");
    assert.match(publish, /= require\("@azure\/web-pubsub"\);/);
    assert.match(publish, /new WebPubSubServiceClient\(process\.env\.WebPubSubConnectionString, "myHub1"\);/);
    assert.doesNotMatch(publish, /allowInsecureConnection|import /);
  });

  for (const runner of isNative ? ["server"] : ["start", "serve"]) {
    for (const shards of [1, 4]) {
      describe(`over npm run ${runner} with ${shards} ${shards === 1 ? "shard" : "shards"}`, () => {
        const service = new Service({ runner, shards, https: true });
        before(() => service.start());
        after(() => service.stop());

        test("a published Hello World reaches all subscribers and the page", async () => {
          const env = { WEBPUBSUB_ACCESS_KEY: service.key };
          const { port, state } = service;
          const hub = new Hub(service, "myHub1");
          const { page } = await openPage(browser, `http://localhost:${port}/#/playground`);
          const url = type(adapt("npm run -s client-url -- --hub myHub1", { state, user: "page" }), env);
          await page.getByText("Paste it", { exact: true }).click();
          await page.getByLabel("Client URL", { exact: true }).fill(await url.lines.next("a client URL"));
          await page.getByRole("button", { name: "Connect", exact: true }).click();
          await page.locator("#state").getByText("Connected as page", { exact: true }).waitFor();

          const subscribers = SUBSCRIBERS.map((file, n) => {
            const commands = adapt(documentBlock("subscribe"), { state, user: `subscriber${n}` });
            return type(commands.replace("subscribe.js", file), env);
          });
          for (const n of subscribers.keys()) await until(() => hub.exists(`/users/subscriber${n}`), `subscriber ${n}`);
          await type(adapt(documentBlock("publish"), { state }), env).done();
          for (const [n, subscriber] of subscribers.entries()) {
            assert.equal(await subscriber.lines.next("the message"), "Received message Hello World", SUBSCRIBERS[n]);
          }
          await page.getByRole("log").getByText("Hello World", { exact: true }).waitFor();
          await Promise.all(subscribers.map((subscriber) => subscriber.stop()));
          await page.context().close();
        });
      });
    }
  }
});
