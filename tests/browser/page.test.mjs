// The frame of the page, and the pages that need no hub: navigation, signing in, themes, keys, client URLs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, useChromium } from "../support/browser.mjs";
import { checkAccess, goTo, openPortal, overflow, signIn } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { claimsOf } from "../support/token.mjs";

/** Every page of the navigation, by its path, and a heading that it has once it is there. */
const HEADINGS = {
  overview: "First message in 60 seconds",
  playground: "Connection",
  "client-url": "A program that connects",
  hubs: "Hubs",
  "server-api": "Call an operation",
  connections: "Hub",
  trace: "Watch a hub",
  metrics: "All metrics",
  keys: "Change a key without a gap",
};
const PAGES = Object.keys(HEADINGS);

forEachShardCount(
  "The page",
  (service) => {
    const browser = useChromium();

    const open = (path, options) => openPortal(browser, service, path, options);
    const problem = (page, words) => page.getByRole("alert").filter({ hasText: words }).waitFor();

    test("every page is reached by the navigation and its address", async () => {
      const { page, complaints } = await open();
      for (const path of [...PAGES.slice(1), PAGES[0]]) {
        await page.locator(`nav a[href="#/${path}"]`).click();
        const title = page.locator("#page-title");
        await page.locator(`nav a[href="#/${path}"][aria-current="page"]`).waitFor();
        const words = await page.locator(`nav a[href="#/${path}"]`).innerText();
        assert.equal(await title.innerText(), words);
        assert.equal(await page.title(), `${words} · Web PubSub Edge`);
        await page.waitForFunction(() => document.activeElement.id === "page-title");
      }
      await page.goBack();
      await page.locator(`nav a[href="#/${PAGES.at(-1)}"][aria-current="page"]`).waitFor();
      assert.deepEqual(complaints, []);
    });

    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      test(`every page keeps no one out and fits 320 px, ${colorScheme}`, async () => {
        const { page, complaints } = await open("overview", {
          colorScheme,
          reducedMotion: "reduce",
          viewport: { width: 320, height: 640 },
        });
        for (const path of PAGES) {
          await goTo(page, path);
          await page.getByRole("heading", { name: HEADINGS[path], level: 2 }).waitFor();
          assert.equal(await overflow(page), 0, path);
          await checkAccess(page, `${path} on 320 px`);
          await page.setViewportSize({ width: 1280, height: 800 });
          await checkAccess(page, path);
          await page.setViewportSize({ width: 320, height: 640 });
        }
        assert.deepEqual(complaints, []);
      });
    }

    test("the theme is the system's, or the one that was chosen", async () => {
      const { page } = await open("overview", { colorScheme: "light", signedIn: false });
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await background();
      await page.getByLabel("Theme").selectOption("Dark");
      const dark = await background();
      assert.notEqual(dark, light);
      await page.reload();
      await page.getByLabel("Theme").waitFor();
      assert.equal(await background(), dark);
      await page.getByLabel("Theme").selectOption("System's theme");
      assert.equal(await background(), light);
      assert.equal(await page.evaluate(() => localStorage.length), 0);
    });

    test("nothing moves where motion is reduced", async () => {
      for (const reducedMotion of /** @type {const} */ (["reduce", "no-preference"])) {
        const { page } = await open("overview", { reducedMotion });
        const moving = await page
          .locator("button, a")
          .evaluateAll((all) => all.filter((one) => getComputedStyle(one).transitionDuration !== "0s").length);
        assert.equal(moving > 0, reducedMotion === "no-preference");
      }
    });

    test("without a key every page says what it is for, or asks", async () => {
      const { page, complaints } = await open("overview", { signedIn: false });
      for (const path of PAGES) {
        await goTo(page, path);
        await checkAccess(page, path);
      }
      await goTo(page, "keys");
      await page.getByRole("heading", { name: "Sign in first" }).waitFor();
      assert.deepEqual(complaints, []);
    });

    test("a wrong key is refused in words", async () => {
      const { page } = await open("overview", { signedIn: false });
      const attempt = async (text) => {
        await page.getByLabel("Connection string or access key").fill(text);
        await page.getByRole("button", { name: "Sign in" }).click();
      };
      for (const [text, words] of [
        ["", "Paste a connection string first."],
        ["Endpoint=http://localhost", "no AccessKey"],
        [service.connectionString.replace(/AccessKey=./, "AccessKey=?"), "does not know this access key"],
      ]) {
        await attempt(text);
        await problem(page, words);
      }
      await attempt(service.key);
      await page.getByText("Signed in", { exact: true }).waitFor();
    });

    test("remembers the connection string only where it is asked to", async () => {
      const { page } = await open("overview", { signedIn: false });
      const field = page.getByLabel("Connection string or access key");
      await field.fill(service.connectionString);
      assert.equal(await field.getAttribute("type"), "password");
      await page.getByRole("button", { name: "Show" }).click();
      await page.locator('#connection-string[type="text"]').waitFor();
      await page.getByLabel("Remember the connection string").check();
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("Signed in", { exact: true }).waitFor();
      await page.reload();
      await page.getByText("Signed in", { exact: true }).waitFor();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByText("Not signed in", { exact: true }).waitFor();
      await page.reload();
      await page.getByText("Not signed in", { exact: true }).waitFor();
      assert.equal(await page.evaluate(() => localStorage.length), 0);
    });

    test("the key is in no request and no store", async () => {
      const hub = service.newHub();
      const { page, complaints } = await openPage(browser, `${service.endpoint}/`);
      const sent = [];
      page.on("request", (request) =>
        sent.push(request.url(), request.postData() ?? "", JSON.stringify(request.headers())),
      );
      page.on("websocket", (socket) => {
        sent.push(socket.url());
        socket.on("framesent", ({ payload }) => sent.push(String(payload)));
      });
      await signIn(page, service.connectionString);
      for (const path of PAGES) await goTo(page, path);
      await goTo(page, "playground");
      await page.getByLabel("Hub").fill(hub.name);
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await page.locator("#state").getByText("Connected", { exact: true }).waitFor();
      assert.ok(sent.some((text) => text.includes("access_token=")));
      assert.ok(!sent.some((text) => text.includes(service.key)), "the key was sent");
      assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length), 0);
      assert.deepEqual(complaints, []);
    });

    test("a client URL says what it allows, and has a token for it", async () => {
      const { page, complaints } = await open("client-url");
      await page.getByLabel("Hub").fill("Chat");
      await page.getByLabel("User").fill("älice");
      await page.getByLabel("Send to every group").uncheck();
      await page.getByText("More roles, groups and time").click();
      await page.getByLabel("More roles").fill("webpubsub.sendToGroups.room-*\nwebpubsub.sendToGroups.\nadmin");
      await page.getByLabel("Groups to begin in").fill("room\nother room");
      await page.getByLabel("Minutes").fill("5");
      await page.getByText(/^Hub Chat at .*, as älice; its token expires in 5 min\.$/).waitFor();
      const url = new URL(await page.getByRole("region", { name: "The client URL" }).innerText());
      const claims = claimsOf(url.searchParams.get("access_token"));
      assert.deepEqual(claims.role, [
        "webpubsub.joinLeaveGroup",
        "webpubsub.sendToGroups.room-*",
        "webpubsub.sendToGroups.",
        "admin",
      ]);
      assert.deepEqual(claims["webpubsub.group"], ["room", "other room"]);
      assert.equal(claims.exp - claims.iat, 300);

      const tester = page.getByRole("list", { name: "Try the roles" });
      await page.getByLabel("A group's name").fill("room-1");
      await tester.getByText("by webpubsub.sendToGroups.room-*").waitFor();
      await page.getByLabel("A group's name").fill("room.1");
      await tester.getByRole("listitem").filter({ hasText: "Send to it" }).getByText("no", { exact: true }).waitFor();
      await tester.getByText("The pattern is empty.").waitFor();
      await tester.getByText("The service has no such role").waitFor();

      await page.getByText("As a QR code").click();
      await page.getByRole("img", { name: "The client URL as a QR code" }).waitFor();
      await page.getByText("What its token says").click();
      await page.getByRole("region", { name: "The token's claims" }).getByText('"sub": "älice"').waitFor();
      for (const [tab, text] of [
        ["JavaScript", "@webpubsub-edge/client"],
        ["Microsoft's client", "@azure/web-pubsub-client"],
        ["Python", "websockets.connect"],
        ["wscat", "wscat --connect"],
      ]) {
        await page.getByRole("tab", { name: tab, exact: true }).click();
        await page.getByRole("region", { name: "The program" }).getByText(text).first().waitFor();
      }
      await page.getByLabel("Hub").fill("1");
      await problem(page, "A hub's name is a letter");
      assert.deepEqual(complaints, []);
    });

    test("a client URL opens in the playground", async () => {
      const hub = service.newHub();
      const { page } = await open("client-url");
      await page.getByLabel("Hub").fill(hub.name);
      await page.getByLabel("User").fill("alice");
      await page.getByText(`Hub ${hub.name}`).waitFor();
      await page.getByRole("button", { name: "Open in the playground" }).click();
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await page.locator("#state").getByText("Connected as alice").waitFor();
      assert.equal(await hub.exists("/users/alice"), true);
    });

    test("keys are masked, and shown and copied when asked", async () => {
      const { page } = await open("keys");
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      const copied = () => page.evaluate(() => navigator.clipboard.readText());
      await page.getByRole("heading", { name: "Primary key", exact: true }).waitFor();
      assert.ok(!(await page.locator("main").innerText()).includes(service.key));
      await page.getByRole("button", { name: "Copy the connection string of the primary key" }).click();
      await page.getByText("Copied.").first().waitFor();
      assert.equal(await copied(), service.connectionString);
      await page.getByRole("button", { name: "Copy the line of a .env file of the primary key" }).click();
      await page.waitForFunction(
        async (text) => (await navigator.clipboard.readText()) === text,
        `WebPubSubConnectionString="${service.connectionString}"`,
      );
      await page.getByRole("button", { name: "Reveal" }).first().click();
      await page.locator(".secret").getByText(service.key).waitFor();
      await goTo(page, "overview");
      await goTo(page, "keys");
      await page.getByRole("heading", { name: "Primary key", exact: true }).waitFor();
      assert.ok(!(await page.locator("main").innerText()).includes(service.key));
    });

    test("the overview leads to a first message, step by step", async () => {
      const hub = service.newHub();
      const { page, complaints } = await open("overview", { signedIn: false });
      const done = () => page.locator('.steps li[data-done="true"]').count();
      await page.getByText(/^Healthy, answers in/).waitFor();
      assert.equal(await done(), 0);
      await signIn(page, service.connectionString);
      await page.locator('.steps li[data-done="true"]').nth(0).waitFor();
      await page.getByLabel("Hub").fill(hub.name);
      await page.getByRole("button", { name: "Connect one in the playground" }).click();
      await page.locator("#state").getByText("Connected", { exact: true }).waitFor();
      await goTo(page, "overview");
      await page.getByLabel("Hub").fill(hub.name);
      await page.getByRole("button", { name: "Publish to all" }).click();
      await page.getByText("Published.").waitFor();
      await page.waitForFunction(() => document.querySelectorAll('.steps li[data-done="true"]').length === 4);
      await page.locator("#connection-count").filter({ hasText: /^\d/ }).waitFor();
      await goTo(page, "playground");
      await page.getByRole("log").getByText("Hello World").waitFor();
      assert.deepEqual(complaints, []);
    });

    test("can be used without a mouse", async () => {
      const { page } = await openPage(browser, `${service.endpoint}/`);
      // The title is there before what the page has below it, and the navigation is scrolled after that.
      await page.locator("#connection-string").waitFor();
      await page.evaluate(() => new Promise((scrolled) => requestAnimationFrame(() => setTimeout(scrolled))));
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement.id), "page-title");
      const focusOn = async (matches) => {
        for (let presses = 0; presses < 40; presses++) {
          await page.keyboard.press("Tab");
          if (await page.evaluate((selector) => document.activeElement.matches(selector), matches)) return;
        }
        assert.fail(`no key leads to ${matches}`);
      };
      await focusOn("#connection-string");
      await page.keyboard.insertText(service.connectionString);
      await page.keyboard.press("Enter");
      await page.getByText("Signed in", { exact: true }).waitFor();
    });

    test("a telephone's navigation is scrolled to the current page", async () => {
      const { page } = await openPage(browser, `${service.endpoint}/#/${PAGES.at(-1)}`, {
        viewport: { width: 320, height: 640 },
      });
      await page.waitForFunction(() => {
        const link = document.querySelector("nav [aria-current]")?.getBoundingClientRect();
        return link && link.left >= 0 && link.right <= innerWidth;
      });
    });

    test("every control has a name", async () => {
      const { page } = await open();
      for (const path of PAGES) {
        await goTo(page, path);
        const nameless = await page
          .locator("input, textarea, select, button")
          .evaluateAll((controls) =>
            controls
              .filter((control) => !(control.labels?.length || control.textContent.trim() || control.ariaLabel))
              .map((control) => control.outerHTML),
          );
        assert.deepEqual(nameless, [], path);
      }
    });

    test("allows scripts and styles of its own only, and wasm", async () => {
      const { page } = await open();
      assert.equal(await page.locator("script:not([src]), style").count(), 0);
      const foreign = await page.evaluate(() =>
        performance
          .getEntriesByType("resource")
          .map(({ name }) => new URL(name).origin)
          .filter((origin) => origin !== location.origin),
      );
      assert.deepEqual(foreign, []);
    });
  },
  { steady: "it is about the browser", shardCounts: [1] },
);
