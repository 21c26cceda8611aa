// Where the focus is after what those do who use the page by its keys alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { openPortal } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";

forEachShardCount(
  "The focus on the page",
  (service) => {
    const browser = useChromium();

    /** Presses what is found, with the keyboard. */
    const press = async (found, key = "Enter") => {
      await found.focus();
      await found.page().keyboard.press(key);
    };
    const button = (page, name) => page.getByRole("button", { name, exact: true });
    const focused = (page, words) =>
      page.waitForFunction((words) => {
        const { activeElement: focused } = document;
        return focused !== document.body && (focused.ariaLabel ?? focused.textContent).includes(words);
      }, words);

    test("signing in and out leads to what is there then", async () => {
      const { page } = await openPortal(browser, service, "keys", { signedIn: false });
      await page.getByLabel("Connection string or access key").fill(service.connectionString);
      await page.keyboard.press("Enter");
      await page.getByRole("region", { name: "Primary key", exact: true }).waitFor();
      await focused(page, "Keys");
      await press(button(page, "Sign out"));
      await page.getByRole("heading", { name: "Sign in first" }).waitFor();
      assert.notEqual(await page.evaluate(() => document.activeElement.tagName), "BODY");
    });

    test("a client that is connected, acts and goes keeps it", async () => {
      const hub = service.newHub();
      const { page } = await openPortal(browser, service, "playground");
      const hubField = page.getByLabel("Hub");
      await hubField.fill(hub.name);
      await press(hubField);
      await page.locator("#state").getByText("Connected", { exact: true }).waitFor();
      // The fields are hidden by then.
      await focused(page, "Connection");
      await page.getByLabel("Action").selectOption("Join a group");
      await page.locator("#send-name").fill("room");
      await press(button(page, "Send"));
      await page.getByText("Joined room.").waitFor();
      await focused(page, "Send");
      await press(button(page, "Leave room"));
      await page.getByText("Left room.").waitFor();
      await focused(page, "Operations");
      await press(button(page, "Disconnect"));
      await page.locator("#state").getByText("Not connected").waitFor();
      await focused(page, "Disconnect");
      await press(button(page, "New client"));
      await focused(page, "Client 2");
      await press(button(page, "Close Client 2"));
      await focused(page, "Client 1");
    });

    test("pages of connections, and one of them, keep it", async () => {
      const hub = service.newHub();
      const [client] = await Promise.all([
        hub.connect({ user: "alice", roles: ALL_ROLES, groups: ["room"] }),
        ...Array.from({ length: 110 }, () => hub.connect({})),
      ]);
      const { page } = await openPortal(browser, service, `connections/${hub.name}`);
      await page.getByText("100 connections, and more").waitFor();
      await press(button(page, "Next page"));
      await page.getByText("11 connections", { exact: true }).waitFor();
      await focused(page, "Next page");
      await page.getByLabel("User").fill("alice");
      await press(button(page, "Search"));
      await page.getByText("1 connection", { exact: true }).waitFor();
      await focused(page, "Search");
      await press(button(page, client.id));
      await focused(page, `Connection ${client.id}`);
      await press(button(page, "Back to the list"));
      await focused(page, client.id);
      await press(button(page, client.id));
      await press(button(page, "Take it out of room"));
      await page.getByText("It is in no group.").waitFor();
      await focused(page, `Connection ${client.id}`);
      await press(button(page, "Add"));
      await page.getByRole("alert").filter({ hasText: "Which group?" }).waitFor();
      await press(button(page, "Close"));
      await page
        .getByRole("status")
        .filter({ hasText: `Closed the connection ${client.id}.` })
        .waitFor();
      await focused(page, "Connections");
    });

    test("a handler that is moved takes it along", async () => {
      const hub = service.newHub();
      const handlers = ["first", "second", "third"].map((name) => ({
        urlTemplate: `https://example.com/${name}`,
        userEventPattern: "*",
      }));
      await hub.configure({ eventHandlers: handlers });
      const { page } = await openPortal(browser, service, `hubs/${hub.name}`);
      await press(button(page, "Move handler 3 up"));
      await focused(page, "Move handler 2 up");
      await page.keyboard.press("Enter");
      await focused(page, "Move handler 1 up");
      await page.keyboard.press("Enter");
      const urls = () => page.getByLabel("URL template").evaluateAll((fields) => fields.map(({ value }) => value));
      assert.deepEqual(
        (await urls()).map((url) => url.split("/").at(-1)),
        ["third", "first", "second"],
      );
      await press(button(page, "Remove handler 3"));
      await page.getByRole("group", { name: "Event handler 3" }).waitFor({ state: "detached" });
      await focused(page, `Settings of ${hub.name}`);
      await press(button(page, "Add an event handler"));
      await page.waitForFunction(() => document.activeElement.id === "handler-2-url");
      await page.keyboard.insertText("https://example.com/last");
      await press(button(page, "Save"));
      await page.getByText("Saved.", { exact: true }).waitFor();
      await focused(page, "Save");
    });

    test("a log's rows are reached by Home and End", async () => {
      const hub = service.newHub();
      const { page } = await openPortal(browser, service, "playground");
      await page.getByLabel("Hub").fill(hub.name);
      await button(page, "Connect").click();
      await page.locator("#state").getByText("Connected", { exact: true }).waitFor();
      for (let n = 1; n <= 60; n++) await hub.send("", `message ${n}.`);
      const log = page.getByRole("log");
      await log.getByText("message 60.").waitFor();
      await log.focus();
      await page.keyboard.press("End");
      await focused(page, "connected");
      await page.keyboard.press("Home");
      await focused(page, "message 60.");
      await page.getByLabel("Filter").fill("message 1.");
      await log.getByText("message 1.").waitFor();
      await press(log, "ArrowDown");
      await focused(page, "message 1.");
      await press(button(page, "Clear"));
      await page.getByText("Nothing yet.").waitFor();
      await focused(page, "Clear");
    });
  },
  { steady: "it is about the browser", shardCounts: [1] },
);
