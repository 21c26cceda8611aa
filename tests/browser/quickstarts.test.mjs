// Microsoft's two quickstarts, done through the page alone: no program, no command, no token.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { EventHandler, OWN_SHARD } from "../support/event-handler.mjs";
import { goTo, openPortal } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";

forEachShardCount(
  "The quickstarts on the page",
  (service) => {
    const browser = useChromium();

    const row = (page, text) => page.getByRole("log").getByRole("listitem").filter({ hasText: text });
    const connect = async (page, hub, user) => {
      await page.getByLabel("Hub").fill(hub);
      await page.getByLabel("User").fill(user);
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await page.locator("#state").getByText(`Connected as ${user}`).waitFor();
    };

    test("publish and subscribe", async () => {
      const { page, complaints } = await openPortal(browser, service, "playground");
      for (const user of ["alice", "bob"]) {
        if (user === "bob") await page.getByRole("button", { name: "New client" }).click();
        await connect(page, "myHub1", user);
      }
      await goTo(page, "server-api");
      await page.getByLabel("hub", { exact: true }).fill("myHub1");
      await page.getByLabel("Body").fill("Hello World");
      await page.getByRole("button", { name: "Send the request" }).click();
      await page.getByText("It is on its way.").waitFor();
      await goTo(page, "playground");
      await row(page, "server").getByText("Hello World").waitFor();
      await page.getByRole("tab", { name: "Client 1: alice" }).click();
      await row(page, "server").getByText("Hello World").waitFor();
      assert.deepEqual(complaints, []);
    });

    test("an event handler answers a client's event", async () => {
      const handler = await EventHandler.start();
      handler.answer("user.message", ({ text }) => ({
        headers: { "content-type": "text/plain" },
        body: `Hey ${text}`,
      }));
      const { page, complaints } = await openPortal(browser, service, "hubs/myHub1");
      await page.getByRole("button", { name: "Add an event handler" }).click();
      await page.getByLabel("URL template").fill(handler.url);
      await page.getByLabel("connected", { exact: true }).check();
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Saved.", { exact: true }).waitFor();
      await goTo(page, "playground");
      await connect(page, "myHub1", "alice");
      await page.getByLabel("Action").selectOption("Send an event");
      await page.locator("#send-name").fill("message");
      await page.getByLabel("Data", { exact: true }).fill("sending custom event!");
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await row(page, "Hey sending custom event!").waitFor();
      await goTo(page, "hubs/myHub1");
      const deliveries = page.getByRole("region", { name: "Deliveries" });
      await deliveries.getByRole("row").filter({ hasText: "message" }).getByText("200").waitFor();
      await deliveries.getByRole("row").filter({ hasText: "connected" }).first().waitFor();
      assert.deepEqual(complaints, []);
      await handler.stop();
    });
  },
  { steady: OWN_SHARD, shardCounts: [1], variables: { ALLOW_PRIVATE_EVENT_HANDLERS: "true" } },
);
