// A browser that draws late, as one that is busy does: what a person does next finds what was done before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { openPortal } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";

forEachShardCount(
  "A page that is drawn late",
  (service) => {
    const browser = useChromium();

    const open = (path) => openPortal(browser, service, path);
    const button = (page, name) => page.getByRole("button", { name, exact: true });
    /** From here on the page's browser has no frame for it. */
    const holdFrames = (page) => page.evaluate(() => Object.assign(globalThis, { requestAnimationFrame: () => 0 }));

    test("shows what it goes back to", async () => {
      const { page } = await open(`hubs/${service.newHub().name}`);
      const shards = page.getByLabel("Shards");
      await shards.waitFor();
      await holdFrames(page);
      await shards.fill("2");
      // It does not look as if it could be pressed before the page is drawn.
      await button(page, "Revert").click({ force: true });
      assert.equal(await shards.inputValue(), "");
    });

    test("shows another operation's body", async () => {
      const { page } = await open("server-api");
      const operation = page.getByLabel("Operation", { exact: true });
      await operation.selectOption("WebPubSub_SendToAll");
      await page.locator("form .note code").getByText("/api/hubs/{hub}/:send", { exact: true }).waitFor();
      await holdFrames(page);
      await page.getByLabel("Body").fill("typed for all");
      await operation.selectOption("WebPubSub_SendToUser");
      assert.equal(await page.getByLabel("Body").inputValue(), "Hello World");
    });

    test("moves what was typed along with its handler", async () => {
      const hub = service.newHub();
      const handler = { urlTemplate: "https://example.com/same", userEventPattern: "*" };
      await hub.configure({ eventHandlers: [handler, handler] });
      const { page } = await open(`hubs/${hub.name}`);
      const urls = page.getByLabel("URL template");
      await urls.nth(1).waitFor();
      await holdFrames(page);
      await urls.first().fill("https://example.com/typed");
      await button(page, "Move handler 1 down").click();
      const shown = await urls.evaluateAll((fields) => fields.map((field) => Reflect.get(field, "value")));
      assert.deepEqual(shown, ["https://example.com/same", "https://example.com/typed"]);
    });

    test("closes no client but those that it shows", async () => {
      const { page, complaints } = await open("playground");
      await button(page, "New client").click();
      await page.getByRole("tab", { name: "Client 2" }).waitFor();
      await holdFrames(page);
      await button(page, "Close Client 2").dblclick();
      await page.getByRole("tab", { name: "Client 1" }).waitFor();
      await page.locator("#state").getByText("Not connected").waitFor();
      assert.deepEqual(complaints, []);
    });
  },
  { steady: "it is about the browser", shardCounts: [1] },
);
