// What goes wrong while the page is used: a service that is away or slow, others who edit the same, too much of something.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { goTo, openPortal, overflow } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { watch } from "../support/trace.mjs";

/** How many operators may watch a shard at once. */
const MOST_WATCHERS = 8;

forEachShardCount(
  "Mishaps on the page",
  (service) => {
    const browser = useChromium();

    const open = (path, options) => openPortal(browser, service, path, options);
    const problem = (page, words) => page.getByRole("alert").filter({ hasText: words });
    const settingsOf = async (hub) => JSON.parse((await service.manage("GET", `hubs/${hub.name}`)).body);
    const policy = (page) => page.getByLabel("Clients without a token");
    const save = (page) => page.getByRole("button", { name: "Save", exact: true }).click();
    const saved = (page) => page.getByText("Saved.", { exact: true }).waitFor();

    test("settings that were changed elsewhere are not overwritten", async () => {
      const hub = service.newHub();
      const [{ page: mine }, { page: theirs }] = [await open(`hubs/${hub.name}`), await open(`hubs/${hub.name}`)];
      await mine.getByLabel("Shards").fill("2");
      await policy(theirs).selectOption("may connect");
      await save(theirs);
      await saved(theirs);
      await save(mine);
      await problem(mine, "Somebody else has changed these settings").waitFor();
      const { anonymousConnectPolicy, shards } = await settingsOf(hub);
      assert.deepEqual([anonymousConnectPolicy, shards], ["allow", undefined]);
      assert.equal(await mine.getByLabel("Shards").inputValue(), "2", "what was edited stays");

      await mine.getByRole("button", { name: "Drop mine, and load theirs" }).click();
      await mine.getByText("Loaded what the service has.").waitFor();
      assert.equal(await policy(mine).inputValue(), "allow");
      assert.equal(await mine.getByLabel("Shards").inputValue(), "");

      await policy(theirs).selectOption("are refused");
      await save(theirs);
      await saved(theirs);
      await mine.getByLabel("Shards").fill("3");
      await save(mine);
      await mine.getByRole("button", { name: "Save mine over theirs" }).click();
      await saved(mine);
      const now = await settingsOf(hub);
      assert.deepEqual([now.anonymousConnectPolicy, now.shards], ["allow", 3]);
    });

    test("what is not saved of a hub stays while others are open", async () => {
      const [one, other] = [service.newHub(), service.newHub()];
      for (const hub of [one, other]) await hub.configure({ anonymousConnectPolicy: "deny" });
      const { page } = await open(`hubs/${one.name}`);
      await policy(page).selectOption("may connect");
      await goTo(page, `hubs/${other.name}`);
      await page.getByRole("heading", { name: `Settings of ${other.name}` }).waitFor();
      assert.equal(await policy(page).inputValue(), "deny");
      await page.getByRole("link", { name: `${one.name} not saved` }).click();
      await page.getByRole("heading", { name: `Settings of ${one.name}` }).waitFor();
      assert.equal(await policy(page).inputValue(), "allow");
      assert.equal((await settingsOf(one)).anonymousConnectPolicy, "deny");
    });

    test("a hub shows none of another's choices, drawn however late", async () => {
      const [one, other] = [service.newHub(), service.newHub()];
      for (const hub of [one, other]) await hub.configure({ anonymousConnectPolicy: "deny" });
      const { page } = await open(`hubs/${other.name}`);
      await policy(page).waitFor();
      await goTo(page, `hubs/${one.name}`);
      await page.getByRole("heading", { name: `Settings of ${one.name}` }).waitFor();
      await policy(page).waitFor();
      await page.evaluate(() => {
        const draw = requestAnimationFrame;
        const waiting = /** @type {Set<() => void>} */ (new Set());
        const drawLate = () => {
          globalThis.requestAnimationFrame = draw;
          waiting.forEach(draw);
        };
        Object.assign(globalThis, { drawLate, requestAnimationFrame: (each) => waiting.add(each).size });
      });
      await policy(page).selectOption("may connect");
      await page.evaluate((hash) => (location.hash = hash), `#/hubs/${other.name}`);
      await page.evaluate(() => Reflect.get(globalThis, "drawLate")());
      await page.getByRole("heading", { name: `Settings of ${other.name}` }).waitFor();
      assert.equal(await policy(page).inputValue(), "deny");
    });

    test("what is typed while settings are saved or read stays", async () => {
      const hub = service.newHub();
      const { page } = await open(`hubs/${hub.name}`);
      /** Holds back the next answer; gives what lets it go. */
      const holdBack = async (method) => {
        let goOn = () => {};
        const held = new Promise((resolve) => (goOn = () => resolve(undefined)));
        const path = `**/management/hubs/${hub.name}`;
        await page.route(path, async (route) => {
          if (route.request().method() !== method) return route.continue();
          const response = await route.fetch();
          await held;
          await route.fulfill({ response });
          await page.unroute(path);
        });
        return goOn;
      };
      await policy(page).selectOption("may connect");
      const goOn = await holdBack("PUT");
      const [sent] = await Promise.all([page.waitForRequest((request) => request.method() === "PUT"), save(page)]);
      await page.getByLabel("Shards").fill("2");
      goOn();
      await sent.response();
      await saved(page);
      assert.equal(await page.getByLabel("Shards").inputValue(), "2");
      await page.getByText("not saved", { exact: true }).first().waitFor();
      assert.equal((await settingsOf(hub)).shards, undefined);

      await page.getByRole("button", { name: "Revert" }).click();
      await goTo(page, "overview");
      const readOn = await holdBack("GET");
      await goTo(page, `hubs/${hub.name}`);
      await page.getByLabel("Shards").fill("3");
      readOn();
      await page.getByText("No attempt yet").waitFor();
      assert.equal(await page.getByLabel("Shards").inputValue(), "3");
    });

    test("a page of a service that is away says so, and tries again", async () => {
      const hub = service.newHub();
      await hub.connect({ user: "alice" });
      const { page } = await open("overview");
      for (const [path, there] of [
        [`hubs/${hub.name}`, "Event handlers"],
        [`connections/${hub.name}`, "alice"],
        ["server-api", "Call an operation"],
        ["metrics", "All metrics"],
        ["keys", "Primary key"],
      ]) {
        const away = /\/management\/|openapi\.json/;
        await page.route(away, (route) => route.abort());
        await goTo(page, path);
        await problem(page, "The service cannot be reached. Look whether it runs").first().waitFor();
        assert.equal(await page.getByText("No hub has been used yet").count(), 0, path);
        await page.unroute(away);
        // What follows from the first answer has a button of its own.
        await page.waitForFunction(() => {
          for (const button of document.querySelectorAll("button"))
            if (button.textContent === "Try again") button.click();
          return [...document.querySelectorAll('[role="alert"]')].every((one) => !one.textContent);
        });
        await page.getByText(there, { exact: true }).first().waitFor();
      }
    });

    test("an answer that does not come ends after a minute", async () => {
      const hub = service.newHub();
      await hub.connect({});
      const { page } = await open("overview");
      await page.clock.install();
      await page.route(/\/management\/hubs$/, () => {});
      await goTo(page, "connections");
      await page.getByText("Loading …").waitFor();
      await page.clock.runFor(61_000);
      await problem(page, "The service has not answered within a minute.").waitFor();
    });

    test("what fails again and again is read out once", async () => {
      const hub = service.newHub();
      const { page } = await open(`hubs/${hub.name}`);
      const deliveries = page.getByRole("region", { name: "Deliveries" });
      await deliveries.getByText("No attempt yet").waitFor();
      await page.clock.install();
      let failed = 0;
      await page.route(/\/deliveries$/, async (route) => {
        await route.abort();
        failed++;
      });
      await deliveries.getByLabel("Follow").check();
      await deliveries.getByRole("alert").filter({ hasText: "cannot be reached" }).waitFor();
      await deliveries.getByRole("alert").evaluate((alert) => {
        Object.assign(globalThis, { readings: 0 });
        const count = () => Object.assign(globalThis, { readings: Reflect.get(globalThis, "readings") + 1 });
        new MutationObserver(count).observe(alert, { subtree: true, childList: true, characterData: true });
      });
      while (failed < 5) await page.clock.runFor(2000);
      assert.equal(await page.evaluate(() => Reflect.get(globalThis, "readings")), 0);
    });

    test("a trace that is refused says why, and begins when it may", async () => {
      const hub = service.newHub();
      await hub.connect({});
      const { page } = await open(`trace/${hub.name}`);
      await page.locator("#trace-hub").fill("");
      await page.getByRole("button", { name: "Start" }).click();
      await problem(page, "Which hub?").waitFor();
      const others = [];
      while (others.length < MOST_WATCHERS) others.push(await watch(service, hub));
      await page.locator("#trace-hub").fill(hub.name);
      await page.getByRole("button", { name: "Start" }).click();
      await problem(page, "8 watch this shard").waitFor();
      others[0].socket.close();
      await page.getByText("Watching", { exact: true }).waitFor();
      assert.equal(await problem(page, "8 watch this shard").count(), 0);
    });

    test("a URL that no QR code holds is not drawn as another's", async () => {
      const { page } = await open("client-url");
      await page.getByText("As a QR code").click();
      await page.getByRole("img", { name: "The client URL as a QR code" }).waitFor();
      await page.getByText("More roles, groups and time").click();
      await page
        .getByLabel("Groups to begin in")
        .fill(Array.from({ length: 200 }, (_, n) => `a-long-group-${n}`).join("\n"));
      await page.getByText("This URL is too long for a QR code.").waitFor();
      assert.equal(await page.getByRole("img", { name: "The client URL as a QR code" }).count(), 0);
    });

    test("what cannot be copied is said, for as long as it is so", async () => {
      const { page } = await open("keys");
      await page.getByRole("region", { name: "Primary key", exact: true }).waitFor();
      await page.route(/reveal=1/, (route) => route.abort());
      await page.getByRole("button", { name: "Copy the primary key" }).click();
      await page.getByRole("status").filter({ hasText: "The service cannot be reached." }).waitFor();
    });

    test("names of a thousand characters fit 320 px", async () => {
      const hub = service.newHub();
      const [user, group] = ["u".repeat(1000), "g".repeat(1000)];
      const client = await hub.connect({ user, groups: [group, "b".repeat(500)] });
      const { page } = await open(`connections/${hub.name}`, { viewport: { width: 320, height: 640 } });
      await page.getByRole("button", { name: client.id }).click();
      await page.getByText("May send to").waitFor();
      assert.equal(await overflow(page), 0);
      const table = page.getByRole("group", { name: "Connections" });
      const width = () => table.evaluate(({ scrollWidth }) => scrollWidth);
      assert.ok((await width()) < 1500, `the table is ${await width()} px wide`);
      await page.getByRole("tab", { name: "Groups" }).click();
      await page.getByRole("button", { name: group, exact: true }).waitFor();
      assert.equal(await overflow(page), 0);
    });
  },
  { steady: "it is about the browser", shardCounts: [1] },
);
