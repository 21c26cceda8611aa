// Hubs and event handlers on the page: edited, tested, mended, exported and imported.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { AT_ONCE, EventHandler, OWN_SHARD } from "../support/event-handler.mjs";
import { checkAccess, openPortal, overflow } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";

forEachShardCount(
  "Hubs on the page",
  (service) => {
    const browser = useChromium();
    let handler;
    beforeEach(async () => (handler = await EventHandler.start()));
    afterEach(() => handler.stop());

    const open = (hub, options) => openPortal(browser, service, `hubs/${hub.name}`, options);
    const settingsOf = async (hub) => JSON.parse((await service.manage("GET", `hubs/${hub.name}`)).body);
    const save = async (page) => {
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Saved.", { exact: true }).waitFor();
    };
    const first = (page) => page.getByRole("group", { name: "Event handler 1" });

    test("settings and handlers are edited in the order that counts", async () => {
      const hub = service.newHub();
      const { page, complaints } = await open(hub);
      await page.getByText("goes to no handler").waitFor();
      await page.getByLabel("Clients without a token").selectOption("may connect");
      await page.getByRole("button", { name: "Add an event handler" }).click();
      await first(page).getByLabel("URL template").fill("https://example.com/{hub}/{event}");
      await first(page).getByText(`https://example.com/${hub.name}/message`).waitFor();
      await first(page).getByLabel("User events").selectOption("Only these");
      await first(page).getByLabel("Event names").fill("chat, order");
      await first(page).getByText(`https://example.com/${hub.name}/order`).waitFor();
      await first(page).getByLabel("connected", { exact: true }).check();
      await first(page).getByLabel("joined").check();
      await first(page).getByLabel("Only in these groups").fill("room-*\nlobby");
      await first(page).getByLabel("Authentication of the service").selectOption("Header");
      await first(page).getByLabel("Header name").fill("X-Key");
      await first(page).getByLabel("Value").fill("swordfish");
      await page.getByRole("button", { name: "Add an event handler" }).click();
      await page
        .getByRole("group", { name: "Event handler 2" })
        .getByLabel("URL template")
        .fill("https://example.com/all");
      await page.getByLabel("The event", { exact: true }).fill("chat");
      await page.getByText("goes to event handler 1.").waitFor();
      await page.getByRole("button", { name: "Move handler 2 up" }).click();
      await page.getByText("not saved").waitFor();
      await save(page);
      assert.deepEqual(await settingsOf(hub), {
        anonymousConnectPolicy: "allow",
        eventHandlers: [
          { urlTemplate: "https://example.com/all", userEventPattern: "*", systemEvents: [] },
          {
            urlTemplate: "https://example.com/{hub}/{event}",
            userEventPattern: "chat,order",
            systemEvents: ["connected"],
            groupPresenceEvents: { eventNames: ["joined"], groupFilters: ["room-*", "lobby"] },
            auth: { type: "Header", name: "X-Key", value: "***" },
          },
        ],
      });
      // What is not touched stays as it is, secrets too.
      await page.getByRole("button", { name: "Remove handler 1" }).click();
      await save(page);
      assert.deepEqual((await settingsOf(hub)).eventHandlers[0].auth, { type: "Header", name: "X-Key", value: "***" });
      await first(page).getByLabel("URL template").fill("nonsense");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("alert").filter({ hasText: "urlTemplate" }).waitFor();
      await page.getByRole("button", { name: "Revert" }).click();
      await first(page).getByText(`https://example.com/${hub.name}/order`).waitFor();
      assert.equal(await first(page).getByLabel("URL template").inputValue(), "https://example.com/{hub}/{event}");
      assert.equal(complaints.filter((text) => !text.includes("400")).length, 0, complaints.join("\n"));
    });

    test("a handler is mended with a test and its deliveries", async () => {
      const hub = service.newHub();
      handler.answer("OPTIONS", () => ({ status: 200 }));
      const { page, complaints } = await open(hub);
      await page.getByRole("button", { name: "Add an event handler" }).click();
      await first(page).getByLabel("URL template").fill(handler.url);
      await save(page);
      await page.getByRole("button", { name: "Test handler 1" }).click();
      await page.getByText("NoAllowedOrigin").first().waitFor();
      await page.getByText("It is to be * or", { exact: false }).waitFor();
      const deliveries = page.getByRole("region", { name: "Deliveries" });
      await deliveries.getByText("validate").first().waitFor();

      handler.answer("OPTIONS", () => ({ headers: { "WebHook-Allowed-Origin": "*" } }));
      await page.getByRole("button", { name: "Test handler 1" }).click();
      await page.getByText("It took the event.").waitFor();
      await page.getByText("It wants events of this service.").waitFor();
      assert.deepEqual(complaints, []);
    });

    test("deliveries have each attempt, and follow what happens", async () => {
      const hub = service.newHub();
      await hub.useHandler(handler, { userEventPattern: "*" });
      handler.answer("user.order", { status: 503 }, {});
      const client = await hub.connect({ user: "alice" });
      const { page, complaints } = await open(hub);
      const deliveries = page.getByRole("region", { name: "Deliveries" });
      const attempts = deliveries.getByRole("row").filter({ hasText: "order" });
      await deliveries.getByText("No attempt yet").waitFor();
      await deliveries.getByLabel("Follow").check();
      client.send({ type: "event", event: "order", dataType: "text", data: "one" });
      const second = attempts.filter({ has: page.getByRole("cell", { name: "2", exact: true }) });
      await second.getByText("200", { exact: true }).waitFor();
      const first = attempts.filter({ has: page.getByRole("cell", { name: "1", exact: true }) });
      for (const text of ["503", "Status", client.id, handler.url]) await first.getByText(text).first().waitFor();
      await deliveries.getByLabel("Failures only").check();
      await second.waitFor({ state: "detached" });
      await first.waitFor();
      assert.deepEqual(complaints, []);
    });

    test("where no attempt failed, it says so", async () => {
      const hub = service.newHub();
      await hub.useHandler(handler, { userEventPattern: "*" });
      const { page } = await open(hub);
      await page.getByRole("button", { name: "Test handler 1" }).click();
      await page.getByText("It took the event.").waitFor();
      await page.getByLabel("Failures only").check();
      await page.getByText("None of the last 2 attempts failed.").waitFor();
    });

    test("settings go out as Azure's JSON and come back", async () => {
      const hub = service.newHub();
      await hub.configure({
        anonymousConnectPolicy: "allow",
        eventHandlers: [{ urlTemplate: handler.url, userEventPattern: "*" }],
      });
      const { page, complaints } = await open(hub);
      await page.getByText("Import, export, reset").click();
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Export as Azure's JSON" }).click(),
      ]);
      const path = await file.path();
      page.on("dialog", (dialog) => dialog.accept());
      await page.getByRole("button", { name: "Reset to the service's defaults" }).click();
      await page.getByText("These are the service's defaults.").waitFor();
      assert.equal((await settingsOf(hub)).anonymousConnectPolicy, "deny");
      await page.getByLabel("Import a file").setInputFiles(path);
      await page.getByText("Imported and saved.").waitFor();
      assert.equal((await settingsOf(hub)).anonymousConnectPolicy, "allow");
      assert.equal((await settingsOf(hub)).eventHandlers.length, 1);
      assert.deepEqual(complaints, []);
    });

    test("hubs keep no one out and fit 320 px", async () => {
      const hub = service.newHub();
      await hub.useHandler(handler, {
        userEventPattern: "*",
        systemEvents: ["connected"],
        groupPresenceEvents: { eventNames: ["joined"] },
        auth: { type: "Bearer", token: "t" },
      });
      await hub.connect({ user: "alice" });
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        const { page } = await open(hub, { colorScheme, viewport: { width: 320, height: 640 } });
        await page.getByRole("button", { name: "Test handler 1" }).click();
        await page.getByText("It took the event.").waitFor();
        assert.equal(await overflow(page), 0);
        await checkAccess(page, colorScheme);
        await page.setViewportSize({ width: 1280, height: 800 });
        await checkAccess(page, colorScheme);
        await page.context().close();
      }
    });
  },
  { steady: OWN_SHARD, shardCounts: [1], variables: AT_ONCE },
);
