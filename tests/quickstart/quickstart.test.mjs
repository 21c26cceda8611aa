// The README's quickstart, typed as it stands there: its commands and files come from README.md itself. Only the
// port is another one, the access key comes from the environment, and subscribers have names.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { launchChromium, openPage } from "../support/browser.mjs";
import { Hub } from "../support/hub.mjs";
import { readme, readmeBlock } from "../support/readme.mjs";
import { root, Service } from "../support/service.mjs";
import { Shell } from "../support/shell.mjs";
import { until } from "../support/waiting.mjs";

const folder = path.join(root, "build", "quickstart");
const SUBSCRIBERS = ["subscribe.js", "subscribe.js", "subscribe.js", "microsoft.js", "bare.js"];

const type = (commands, env) => new Shell(commands, env);
const save = (file) => writeFileSync(path.join(folder, file), readmeBlock(file));
/** The same commands for a service at another port than 8080, and a URL with a name in it that can be asked for. */
const adapt = (commands, { port, user }) =>
  commands
    .replace("connection-string", `connection-string -- --port ${port}`)
    .replace("client-url -- ", `client-url -- --port ${port} --user ${user} `);
/** The commands that the README names in a sentence. */
const inTheSubscribersFolder = "cd build/quickstart/subscriber\nnpm install @azure/web-pubsub-client@1\nnpm install ws@8\n";

describe("The quickstart", () => {
  let browser;
  before(async () => {
    const built = new Service();
    await built.start();
    await built.stop();
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const label of ["subscriber", "publisher"]) await type(readmeBlock(label)).done();
    await type(inTheSubscribersFolder).done();
    for (const file of ["subscriber/subscribe.js", "subscriber/microsoft.js", "subscriber/bare.js", "publisher/publish.js"]) save(file);
    browser = await launchChromium();
  });
  after(() => browser?.close());

  test("names in its sentences what this test installs", () => {
    const [, ...commands] = inTheSubscribersFolder.trim().split("\n");
    for (const command of commands) assert.ok(readme().includes(`\`${command}\``), command);
  });

  for (const runner of ["start", "serve"]) {
    for (const shards of [1, 4]) {
      describe(`over npm run ${runner} with ${shards} ${shards === 1 ? "shard" : "shards"}`, () => {
        const service = new Service({ runner, shards });
        before(() => service.start());
        after(() => service.stop());

        test("a published Hello World reaches subscribers of every kind, and the page", async () => {
          const env = { WEBPUBSUB_ACCESS_KEY: service.key };
          const { port } = service;
          const hub = new Hub(service, "myHub1");
          const { page } = await openPage(browser, `http://localhost:${port}/`);
          const url = type(adapt("npm run -s client-url -- --hub myHub1", { port, user: "page" }), env);
          await page.getByLabel("Client URL", { exact: true }).fill(await url.lines.next("a client URL"));
          await page.getByRole("button", { name: "Connect", exact: true }).click();
          await page.getByRole("status").getByText("Connected as page", { exact: true }).waitFor();

          const subscribers = SUBSCRIBERS.map((file, n) => {
            const commands = adapt(readmeBlock("subscribe"), { port, user: `subscriber${n}` });
            return type(commands.replace("subscribe.js", file), env);
          });
          for (const n of subscribers.keys()) await until(() => hub.exists(`/users/subscriber${n}`), `subscriber ${n}`);
          await type(adapt(readmeBlock("publish"), { port }), env).done();
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
