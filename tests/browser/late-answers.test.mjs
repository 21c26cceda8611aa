// Answers that come late, when something else is looked at or done: they change nothing of that.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { goTo, openPortal, signIn } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { watch } from "../support/trace.mjs";
import { deferred } from "../support/waiting.mjs";

/** How many operators may watch a shard at once. */
const MOST_WATCHERS = 8;

forEachShardCount(
  "Answers that come late",
  (service) => {
    const browser = useChromium();

    const open = (path) => openPortal(browser, service, path);
    const button = (page, name) => page.getByRole("button", { name, exact: true });
    /** Presses a button that says that it is not to be pressed. */
    const pressBusy = (page, name) => button(page, name).click({ force: true });
    const chosen = (page) => page.locator("#connections-hub");
    const state = (page, words) => page.locator("#state").getByText(words, { exact: true }).waitFor();
    /** How many connections the service has of a hub. */
    const connections = async (hub) =>
      JSON.parse((await service.manage("GET", `hubs/${hub.name}/connections`)).body).connections.length;

    /**
     * Holds back the next answer to a request like this. `held` resolves once the service has answered, or at once where
     * the answer is given here; `letGo` has the page receive it, and resolves when it has drawn what follows.
     * @param {import("playwright-core").Page} page
     * @param {RegExp} url
     * @param {{ method?: string, answer?: { status: number } }} how
     */
    const holdBack = async (page, url, { method = "GET", answer } = {}) => {
      const [held, free, received] = [deferred(), deferred(), deferred()];
      let isNext = true;
      await page.route(url, async (route) => {
        if (!isNext || route.request().method() !== method) return route.fallback();
        isNext = false;
        const response = answer ? undefined : await route.fetch();
        held.resolve();
        await free.promise;
        await route.fulfill(response ? { response } : answer);
        received.resolve();
      });
      return {
        held: held.promise,
        async letGo() {
          free.resolve();
          await received.promise;
          await page.evaluate(
            () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true)))),
          );
        },
      };
    };

    test("keys are listed after a revelation that is left", async () => {
      const { page } = await open("keys");
      const revelation = await holdBack(page, /reveal=1/);
      await button(page, "Reveal").first().click();
      await revelation.held;
      await goTo(page, "overview");
      await goTo(page, "keys");
      await revelation.letGo();
      await page.getByRole("region", { name: "Primary key", exact: true }).waitFor();
      await button(page, "Reveal").first().waitFor();
      assert.equal(await button(page, "Hide").count(), 0);
    });

    test("a connection is closed once the service was asked to", async () => {
      const hub = service.newHub();
      const client = await hub.connect({});
      const { page } = await open(`connections/${hub.name}`);
      await button(page, client.id).click();
      const sending = await holdBack(page, /:send$/, { method: "POST" });
      await button(page, "Send").click();
      await sending.held;
      await pressBusy(page, "Close");
      await sending.letGo();
      await page.getByText("Sent.", { exact: true }).waitFor();
      await page.getByRole("heading", { name: `Connection ${client.id}` }).waitFor();
      assert.equal(await connections(hub), 1);
    });

    test("another connection stays open when one is closed", async () => {
      const hub = service.newHub();
      const [one, other] = [await hub.connect({}), await hub.connect({})];
      const { page } = await open(`connections/${hub.name}`);
      await button(page, one.id).click();
      const closing = await holdBack(page, new RegExp(`/connections/${one.id}$`), { method: "DELETE" });
      await button(page, "Close").click();
      await closing.held;
      await button(page, other.id).click();
      await page.getByRole("heading", { name: `Connection ${other.id}` }).waitFor();
      await closing.letGo();
      await page.getByText(`Closed the connection ${one.id}.`).waitFor();
      await page.getByRole("heading", { name: `Connection ${other.id}` }).waitFor();
    });

    test("a page of a list is followed by the next of the same", async () => {
      const hub = service.newHub();
      await Promise.all(Array.from({ length: 120 }, () => hub.connect({})));
      const { page } = await open(`connections/${hub.name}`);
      await page.getByText("100 connections, and more").waitFor();
      // Typed, and not searched for.
      await page.getByLabel("User").fill("carol");
      const next = await holdBack(page, /continuationToken=/);
      await button(page, "Next page").click();
      await next.held;
      await pressBusy(page, "Next page");
      await next.letGo();
      await page.getByText("20 connections", { exact: true }).waitFor();
      await button(page, "Previous page").click();
      await page.getByText("100 connections, and more").waitFor();
    });

    test("a hub chosen meanwhile stays, without another's rows", async () => {
      const [one, other] = [service.newHub(), service.newHub()];
      const [client, another] = [await one.connect({}), await other.connect({})];
      const { page } = await open(`connections/${one.name}`);
      await button(page, client.id).waitFor();
      await goTo(page, "overview");
      const hubs = await holdBack(page, /\/management\/hubs$/);
      await goTo(page, `connections/${one.name}`);
      await hubs.held;
      const rows = await holdBack(page, new RegExp(`/hubs/${other.name}/connections`));
      await chosen(page).selectOption(other.name);
      await rows.held;
      await button(page, client.id).waitFor({ state: "detached" });
      await hubs.letGo();
      await rows.letGo();
      await button(page, another.id).waitFor();
      assert.equal(await chosen(page).inputValue(), other.name);
    });

    test("an operation's answer is not shown as another's", async () => {
      const { page } = await open("server-api");
      const operation = page.getByLabel("Operation", { exact: true });
      await operation.selectOption("WebPubSub_SendToAll");
      const sending = await holdBack(page, /:send$/, { method: "POST" });
      await button(page, "Send the request").click();
      await sending.held;
      await operation.selectOption("WebPubSub_SendToUser");
      await sending.letGo();
      await page.getByText("None yet.").waitFor();
      assert.equal(await page.getByRole("status").locator(".badge").count(), 0);
    });

    test("who has signed in again stays so", async () => {
      const { page } = await open("overview");
      const refused = await holdBack(page, /\/management\/overview$/, { answer: { status: 401 } });
      await button(page, "Refresh").click();
      await refused.held;
      await button(page, "Sign out").click();
      await page.getByText("Not signed in").waitFor();
      await goTo(page, "hubs");
      await signIn(page, service.connectionString);
      await refused.letGo();
      await page.getByLabel("Open another hub").waitFor();
      assert.equal(await page.getByText("Not signed in").count(), 0);
    });

    test("counts are for those who are signed in", async () => {
      const { page } = await open("overview");
      const count = page.locator("#connection-count");
      await count.getByText(/^\d+$/).waitFor();
      const counts = await holdBack(page, /\/management\/overview$/);
      await button(page, "Refresh").click();
      await counts.held;
      await button(page, "Sign out").click();
      await page.getByText("Not signed in").waitFor();
      await counts.letGo();
      assert.equal(await count.innerText(), "–");
    });

    test("what is saved meanwhile is not shown as it was before", async () => {
      const hub = service.newHub();
      await hub.configure({ anonymousConnectPolicy: "deny" });
      const { page } = await open(`hubs/${hub.name}`);
      const policy = page.getByLabel("Clients without a token");
      await policy.waitFor();
      await goTo(page, "overview");
      const before = await holdBack(page, new RegExp(`/hubs/${hub.name}$`));
      await goTo(page, `hubs/${hub.name}`);
      await before.held;
      await policy.selectOption("may connect");
      await button(page, "Save").click();
      await page.getByText("Saved.", { exact: true }).waitFor();
      await before.letGo();
      assert.equal(await policy.inputValue(), "allow");
    });

    for (const [what, press, then] of /** @type {const} */ ([
      ["is disconnected", "Disconnect", "Client 2"],
      ["is closed", "Close Client 2", "Client 1"],
    ])) {
      test(`a client that ${what} while it connects does not connect`, async () => {
        const hub = service.newHub();
        const { page } = await open("playground");
        await button(page, "New client").click();
        const loading = await holdBack(page, /\/client\/index\.js$/);
        await page.getByLabel("Hub", { exact: true }).fill(hub.name);
        await button(page, "Connect").click();
        await loading.held;
        await state(page, "Connecting …");
        await button(page, press).click();
        await state(page, "Not connected");
        await loading.letGo();
        await page.getByRole("tab", { name: then }).click();
        await page.getByLabel("Hub", { exact: true }).fill(hub.name);
        await button(page, "Connect").click();
        await state(page, "Connected");
        assert.equal(await connections(hub), 1);
      });
    }

    test("what may have failed of an event is not said of what follows", async () => {
      const hub = service.newHub();
      const { page } = await open("playground");
      await page.getByText("Paste it", { exact: true }).click();
      await page.getByLabel("Client URL", { exact: true }).fill(hub.clientUrl({ roles: ALL_ROLES }));
      await button(page, "Connect").click();
      await state(page, "Connected");
      const settings = await holdBack(page, new RegExp(`/management/hubs/${hub.name}$`, "i"));
      await page.getByLabel("Action").selectOption("Send an event");
      await page.locator("#send-name").fill("order");
      await button(page, "Send").click();
      await settings.held;
      await page.getByLabel("Action").selectOption("Join a group");
      await button(page, "Send").click();
      await page.getByText("Joined order.").waitFor();
      await settings.letGo();
      assert.equal(await page.locator("#why").count(), 0);
    });

    test("why a trace is refused is not said once it is watched", async () => {
      const hub = service.newHub();
      await hub.connect({});
      const others = [];
      while (others.length < MOST_WATCHERS) others.push(await watch(service, hub));
      const { page } = await open(`trace/${hub.name}`);
      const refusal = await holdBack(page, /\/trace\?/);
      await button(page, "Start").click();
      await refusal.held;
      others[0].socket.close();
      await page.getByText("Watching", { exact: true }).waitFor();
      await refusal.letGo();
      assert.equal(await page.getByRole("alert").filter({ hasText: "8 watch this shard" }).count(), 0);
    });
  },
  { steady: "it is about the browser", shardCounts: [1] },
);
