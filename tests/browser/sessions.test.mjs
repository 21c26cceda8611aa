// Sessions on the page: it signs in with a link, a secret or a key, and has no key in it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, useChromium } from "../support/browser.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { checkAccess, goTo, openPortal, overflow, signIn } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { sign } from "../support/token.mjs";

const SECRET = "a-secret-of-the-portal-for-tests";

forEachShardCount(
  "Sessions on the page",
  (service) => {
    const browser = useChromium();

    let tickets = 0;
    const link = () => {
      const claims = { aud: `${service.endpoint}/management/session`, jti: `page-${++tickets}-${service.port}` };
      return `${service.endpoint}/#ticket=${sign(claims, service.key)}`;
    };
    const signedIn = (page) => page.getByText("Signed in", { exact: true }).waitFor();

    test("a link signs in once, and is nowhere afterwards", async () => {
      const address = link();
      const { page, complaints } = await openPage(browser, address);
      await signedIn(page);
      assert.equal(page.url(), `${service.endpoint}/`);
      assert.equal(await page.evaluate(() => document.cookie + localStorage.length), "0");
      const [cookie] = await page.context().cookies();
      assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
      await page.reload();
      await signedIn(page);
      assert.deepEqual(complaints, []);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByText("Not signed in").waitFor();
      await page.reload();
      await page.getByText("Not signed in").waitFor();

      const again = await openPage(browser, address);
      await again.page.getByRole("alert").filter({ hasText: "used before" }).waitFor();
      await again.page.getByText("Not signed in").waitFor();
    });

    test("the keys are for https first where the link says its port", async () => {
      const { page, complaints } = await openPage(browser, `${link()}&https=8443`);
      await signedIn(page);
      assert.equal(page.url(), `${service.endpoint}/`);
      await page.reload();
      await signedIn(page);
      await goTo(page, "keys");
      const card = page.getByRole("region", { name: "Primary key", exact: true });
      const line = card.getByRole("region", { name: "Connection string of the primary key" });
      await line.getByText("Endpoint=https://127.0.0.1:8443;AccessKey=").waitFor();
      await card.getByLabel("Endpoint").selectOption(service.endpoint);
      await line.getByText(`Endpoint=${service.endpoint};AccessKey=`).waitFor();
      assert.deepEqual(complaints, []);
      for (const port of ["443@evil.example", "0", "65536", "8443/x"]) {
        const { page } = await openPage(browser, `${link()}&https=${encodeURIComponent(port)}`);
        await signedIn(page);
        await goTo(page, "keys");
        await page.getByRole("region", { name: "Primary key", exact: true }).waitFor();
        assert.equal(await page.getByText("https://").count(), 0, port);
      }
    });

    test("the operator's secret signs in, and a wrong one does not", async () => {
      const { page } = await openPage(browser, `${service.endpoint}/`);
      const field = page.getByLabel("Connection string or access key, or the operator's secret");
      await field.fill("another-secret-of-the-portal-for-tests");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("alert").filter({ hasText: "does not know this access key" }).waitFor();
      await field.fill(SECRET);
      await page.getByRole("button", { name: "Sign in" }).click();
      await signedIn(page);
    });

    test("a key begins a session, and signs nothing else", async () => {
      const { page, complaints } = await openPage(browser, `${service.endpoint}/`);
      const authorized = [];
      page.on("request", (request) => {
        if (request.headers().authorization) authorized.push(request.url());
      });
      await signIn(page, service.connectionString);
      for (const path of ["client-url", "hubs", "connections", "metrics", "keys"]) await goTo(page, path);
      await page.getByRole("heading", { name: "Primary key" }).waitFor();
      assert.deepEqual(authorized, []);
      await page.reload();
      await signedIn(page);
      assert.deepEqual(complaints, []);
    });

    test("a session that ends says so, and what was typed stays", async () => {
      const hub = service.newHub();
      const { page } = await openPage(browser, link());
      await signedIn(page);
      await goTo(page, `hubs/${hub.name}`);
      await page.getByLabel("Shards").fill("2");
      await page.context().clearCookies();
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByRole("alert").filter({ hasText: "The session has ended. Sign in again." }).waitFor();
      assert.notEqual(await page.evaluate(() => document.activeElement.tagName), "BODY");
      await signIn(page, service.connectionString);
      await page.getByRole("heading", { name: `Settings of ${hub.name}` }).waitFor();
      assert.equal(await page.getByLabel("Shards").inputValue(), "2");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByText("Saved.", { exact: true }).waitFor();
    });

    test("signing out of a service that is away says that it failed", async () => {
      const { page } = await openPage(browser, link());
      await signedIn(page);
      await page.route("**/management/session", (route) => route.abort());
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("alert").filter({ hasText: "You are still signed in." }).waitFor();
      await page.unroute("**/management/session");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByText("Not signed in").waitFor();
      assert.equal(await page.getByText("You are still signed in.").count(), 0);
    });

    test("both keys are shown to who asks for them", async () => {
      const { page, complaints } = await openPage(browser, link());
      await signedIn(page);
      await goTo(page, "keys");
      for (const [name, key] of [
        ["Primary key", service.key],
        ["Secondary key", service.secondaryKey],
      ]) {
        const card = page.getByRole("region", { name, exact: true });
        await card.getByRole("button", { name: "Reveal" }).click();
        await card.locator(".secret").getByText(key).waitFor();
      }
      await checkAccess(page, "keys");
      assert.deepEqual(complaints, []);
    });

    test("client URLs are made by the service", async () => {
      const hub = service.newHub();
      const { page, complaints } = await openPage(browser, link());
      await signedIn(page);
      await goTo(page, "playground");
      await page.getByLabel("Hub").fill(hub.name);
      await page.getByLabel("User").fill("alice");
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await page.locator("#state").getByText("Connected as alice").waitFor();
      await page.getByLabel("Action").selectOption("Join a group");
      await page.locator("#send-name").fill("room");
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await page.getByText("Joined room.").waitFor();
      assert.deepEqual(complaints, []);
    });

    const trace = async (hub, options = {}) => {
      const opened = await openPortal(browser, service, `trace/${hub.name}`, options);
      return opened;
    };
    const row = (page, kind, text) =>
      page.getByRole("log").locator(`[data-origin="${kind}"]`).filter({ hasText: text }).first();
    const start = async (page) => {
      await page.getByRole("button", { name: "Start" }).click();
      await page
        .getByRole("status")
        .filter({ hasText: /^\s*Watching/ })
        .waitFor();
      if (service.shards > 1) await page.getByText(`Watching ${service.shards} of ${service.shards} shards`).waitFor();
    };

    test("what happens in a hub is shown as it happens", async () => {
      const hub = service.newHub();
      await hub.connect({ user: "first" });
      const { page, complaints } = await trace(hub);
      await start(page);
      const client = await hub.connect({ user: "alice", roles: ALL_ROLES, groups: ["room"] });
      await row(page, "connected", "alice").waitFor();
      client.send({ type: "sendToGroup", group: "room", dataType: "text", data: "a secret text" });
      await row(page, "received", "alice").waitFor();
      await row(page, "delivered", "room").waitFor();
      await hub.send("", "to all");
      await row(page, "command", "send all").waitFor();
      assert.equal(await page.getByText("a secret text").count(), 0);
      await row(page, "connected", "alice").click();
      await page.getByRole("region", { name: "The record" }).getByText(client.id).waitFor();
      client.close();
      await row(page, "disconnected", "alice").waitFor();
      assert.deepEqual(complaints, []);
    });

    test("a trace is of one connection, user or group", async () => {
      const hub = service.newHub();
      const [alice, bob] = [
        await hub.connect({ user: "alice", roles: ALL_ROLES }),
        await hub.connect({ user: "bob", roles: ALL_ROLES }),
      ];
      const { page } = await trace(hub);
      for (const [label, value] of [
        ["Connection", alice.id],
        ["User", "alice"],
        ["Group", "room"],
      ]) {
        const field = page.getByLabel(label).and(page.getByRole("textbox"));
        await field.fill(value);
        await start(page);
        bob.send({ type: "sendToGroup", group: "other", dataType: "text", data: "of bob" });
        alice.send({ type: "sendToGroup", group: "room", dataType: "text", data: "of alice" });
        await row(page, "received", "room").waitFor();
        assert.equal(await row(page, "received", "other").count(), 0, label);
        await page.getByRole("button", { name: "Clear" }).click();
        await page.getByRole("button", { name: "Stop" }).click();
        await page.getByText("Not watching").waitFor();
        await field.fill("");
      }
    });

    test("a trace is narrowed, and has payloads if they are asked for", async () => {
      const hub = service.newHub();
      const [alice, bob] = [
        await hub.connect({ user: "alice", roles: ALL_ROLES }),
        await hub.connect({ user: "bob", roles: ALL_ROLES }),
      ];
      const { page } = await trace(hub);
      await page.getByLabel("User").fill("alice");
      await page.getByLabel("With the first 1,024 bytes").check();
      await start(page);
      bob.send({ type: "sendToGroup", group: "room", dataType: "text", data: "of bob" });
      alice.send({ type: "sendToGroup", group: "room", dataType: "text", data: "of alice" });
      await row(page, "received", "of alice").waitFor();
      assert.equal(await page.getByText("of bob").count(), 0);
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Not watching").waitFor();
    });

    test("a trace goes on after the service was away", async () => {
      const hub = service.newHub();
      await hub.connect({ user: "first" });
      const { page } = await trace(hub);
      await start(page);
      await service.crash();
      await page.getByRole("status").filter({ hasText: "Connecting …" }).waitFor();
      await service.start();
      await page
        .getByRole("status")
        .filter({ hasText: /^\s*Watching/ })
        .waitFor();
      // All shards of the hub are watched again, whichever has the client.
      const all = /** @type {number} */ (service.shards);
      if (all > 1) await page.getByText(`Watching ${all} of ${all} shards`).waitFor();
      await hub.connect({ user: "alice" });
      await row(page, "connected", "alice").waitFor();
    });

    test("a trace keeps no one out and fits 320 px", async () => {
      const hub = service.newHub();
      await hub.connect({ user: "alice" });
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        const { page } = await trace(hub, { colorScheme, viewport: { width: 320, height: 640 } });
        await start(page);
        await hub.send("", "hi");
        await row(page, "command", "send all").waitFor();
        assert.equal(await overflow(page), 0);
        await checkAccess(page, colorScheme);
        await page.setViewportSize({ width: 1280, height: 800 });
        await checkAccess(page, colorScheme);
        await page.context().close();
      }
    });
  },
  { steady: "it is about the browser", secrets: { PORTAL_SECRET: SECRET } },
);
