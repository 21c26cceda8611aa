// Connections and groups on the page: listed over all shards, searched, looked at, changed and closed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { checkAccess, goTo, openPortal, overflow } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";

forEachShardCount(
  "Connections on the page",
  (service) => {
    const browser = useChromium();

    const open = (hub, options) => openPortal(browser, service, `connections/${hub.name}`, options);
    const rows = (page) => page.getByRole("group", { name: "Connections" }).getByRole("row");
    const search = async (page, label, text) => {
      await page.getByLabel(label).fill(text);
      await page.getByRole("button", { name: "Search" }).click();
    };

    test("connections are listed and searched", async () => {
      const hub = service.newHub();
      const alice = await hub.connect({ user: "alice", groups: ["room"] });
      await hub.connectReliable({ user: "bob" });
      await hub.connectSimple({});
      const { page, complaints } = await open(hub);
      await page.getByText("3 connections", { exact: true }).waitFor();
      await search(page, "User", "alice");
      await page.getByText("1 connection", { exact: true }).waitFor();
      await rows(page).filter({ hasText: alice.id }).filter({ hasText: "room" }).waitFor();
      await page.getByLabel("User").fill("");
      await search(page, "Group", "nothing");
      await page.getByText("No connection matches.").waitFor();
      await page.getByLabel("Group", { exact: true }).fill("");
      await search(page, "Id begins with", alice.id.slice(0, 12));
      await rows(page).filter({ hasText: alice.id }).waitFor();
      await page.getByLabel("Id begins with").fill("");
      await search(page, "Filter", "userId eq 'bob'");
      await page.getByText("1 connection", { exact: true }).waitFor();
      assert.deepEqual(complaints, []);
      await search(page, "Filter", "nonsense");
      await page.getByRole("alert").filter({ hasText: "filter" }).waitFor();
    });

    test("a page of many is followed by the next", async () => {
      const hub = service.newHub();
      const all = await Promise.all(Array.from({ length: 120 }, (_, n) => hub.connect({ user: `u${n}` })));
      const { page } = await open(hub);
      await page.getByText("100 connections, and more").waitFor();
      const ids = () => page.locator("button.link").allInnerTexts();
      const first = await ids();
      await page.getByRole("button", { name: "Next page" }).click();
      await page.getByText("20 connections", { exact: true }).waitFor();
      assert.deepEqual(new Set([...first, ...(await ids())]), new Set(all.map(({ id }) => id)));
      await page.getByRole("button", { name: "Previous page" }).click();
      await page.getByText("100 connections, and more").waitFor();
    });

    test("a connection is looked at, put into a group, sent to, closed", async () => {
      const hub = service.newHub();
      const client = await hub.connect({ user: "alice", roles: [ALL_ROLES[0], "webpubsub.sendToGroups.room-*"] });
      const { page, complaints } = await open(hub);
      await page.getByRole("button", { name: client.id }).click();
      await page.getByRole("heading", { name: `Connection ${client.id}` }).waitFor();
      await page.getByText("those like room-*").waitFor();
      await page.getByText("every group").waitFor();
      await page.getByLabel("Add it to a group").fill("lobby");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.getByText("Added to lobby.").waitFor();
      assert.equal(await hub.exists("/groups/lobby"), true);
      await page.getByRole("button", { name: "Send", exact: true }).click();
      assert.equal((await client.json()).data, "Hello World");
      await page.getByRole("button", { name: "Take it out of lobby" }).click();
      await page.getByText("It is in no group.").waitFor();
      await page.getByLabel("Close it, with this reason").fill("enough");
      await page.getByRole("button", { name: "Close", exact: true }).click();
      assert.match((await client.json()).message, /enough/);
      await page.getByText("No connection matches.").waitFor();
      assert.deepEqual(complaints, []);
    });

    test("groups are listed with their members", async () => {
      const hub = service.newHub();
      for (const groups of [["lobby", "room"], ["room"]]) await hub.connect({ groups });
      const { page, complaints } = await open(hub);
      await page.getByRole("tab", { name: "Groups" }).click();
      await page.getByRole("row").filter({ hasText: "room" }).getByText("2", { exact: true }).waitFor();
      await page.getByLabel("Name begins with").fill("lo");
      await page.getByRole("button", { name: "Search" }).click();
      await page.getByText("1 group", { exact: true }).waitFor();
      await page.getByRole("button", { name: "lobby" }).click();
      await page.getByText("1 connection", { exact: true }).waitFor();
      assert.deepEqual(complaints, []);
    });

    test("the filter of an operation shows whom it matches", async () => {
      const hub = service.newHub();
      const [alice] = [await hub.connect({ user: "alice" }), await hub.connect({ user: "bob" })];
      const { page } = await open(hub);
      await goTo(page, "server-api");
      await page.locator("#parameter-hub").fill(hub.name);
      await page.locator("#parameter-filter").fill("userId eq 'alice'");
      await page.locator("#filter-preview").getByText("It matches 1 connection:").waitFor();
      await page.locator("#filter-preview").getByText(alice.id).waitFor();
      await page.locator("#parameter-filter").fill("userId eq 'carol'");
      await page.getByText("It matches no connection.").waitFor();
    });

    test("they keep no one out and fit 320 px", async () => {
      const hub = service.newHub();
      const client = await hub.connect({ user: "alice", groups: ["room"] });
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        const { page } = await open(hub, { colorScheme, viewport: { width: 320, height: 640 } });
        await page.getByRole("button", { name: client.id }).click();
        await page.getByText("May send to").waitFor();
        assert.equal(await overflow(page), 0);
        await checkAccess(page, colorScheme);
        await page.setViewportSize({ width: 1280, height: 800 });
        await checkAccess(page, colorScheme);
        await page.context().close();
      }
    });
  },
  { steady: "it is about the browser" },
);
