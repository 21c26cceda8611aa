// Keys on the page: rotated and regenerated, with a session and with a key alone.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openPage, useChromium } from "../support/browser.mjs";
import { checkAccess, goTo, openPortal, overflow } from "../support/portal.mjs";
import { Service } from "../support/service.mjs";
import { sign } from "../support/token.mjs";

/** Waits until the page says that the keys are changed, and what it asked before. */
async function change(page, button) {
  const asked = new Promise((resolve) =>
    page.once("dialog", (dialog) => {
      resolve(dialog.message());
      void dialog.accept();
    }),
  );
  // The page says so of the change before, too, until this one begins.
  const answered = page.waitForResponse((response) => /\/management\/keys\/./.test(response.url()));
  await page.getByRole("button", { name: button, exact: true }).click();
  await answered;
  await page.getByText("The keys are changed.").waitFor();
  return asked;
}

/** A key as the page shows it. */
async function reveal(page, name) {
  const card = page.getByRole("region", { name, exact: true });
  await card.getByRole("button", { name: "Reveal" }).click();
  await card.getByRole("button", { name: "Hide" }).waitFor();
  return card.locator(".secret").innerText();
}

for (const secret of ["a-secret-of-the-portal-for-tests", ""]) {
  describe(`Keys on the page ${secret ? "with a session" : "with a key"}`, () => {
    const service = new Service({ secrets: { PORTAL_SECRET: secret } });
    const browser = useChromium();
    before(() => service.start());
    after(() => service.stop());

    const status = async (key) => {
      const token = sign({ aud: `${service.endpoint}/management/hubs` }, key);
      return (await service.manage("GET", "hubs", { token })).status;
    };
    const open = async (options = {}) => {
      if (!secret) return openPortal(browser, service, "keys", options);
      const claims = { aud: `${service.endpoint}/management/session`, jti: crypto.randomUUID() };
      const opened = await openPage(browser, `${service.endpoint}/#ticket=${sign(claims, service.key)}`, options);
      await opened.page.getByText("Signed in", { exact: true }).waitFor();
      await goTo(opened.page, "keys");
      return opened;
    };

    test("a rotation keeps the key in use, and the page goes on", async () => {
      const old = service.key;
      const { page, complaints } = await open();
      await page.getByRole("region", { name: "Primary key", exact: true }).waitFor();
      assert.match(await change(page, "Rotate"), /new primary key/);
      service.key = await reveal(page, "Primary key");
      assert.notEqual(service.key, old);
      assert.equal(await reveal(page, "Secondary key"), old);
      assert.deepEqual([await status(service.key), await status(old)], [200, 200]);
      await change(page, "Regenerate the secondary key");
      assert.equal(await status(old), 401);
      await change(page, "Regenerate the primary key");
      assert.equal(await status(service.key), 401);
      service.key = await reveal(page, "Primary key");
      assert.equal(await status(service.key), 200);
      await goTo(page, "hubs");
      await page.getByLabel("Open another hub").waitFor();
      assert.deepEqual(complaints, []);
    });

    if (!secret)
      test("a key that is refused by now leads to signing in", async () => {
        const { page } = await open();
        await page.getByRole("region", { name: "Primary key", exact: true }).waitFor();
        const { status, body } = await service.manage("POST", "keys/primary/:regenerate");
        assert.equal(status, 200);
        service.key = JSON.parse(body).primary.key;
        await goTo(page, "hubs");
        await page.getByRole("alert").filter({ hasText: "The access key is refused." }).waitFor();
        await page.getByRole("heading", { name: "Sign in first" }).waitFor();
      });

    test("what is asked before may be declined", async () => {
      const { page } = await open();
      page.once("dialog", (dialog) => dialog.dismiss());
      await page.getByRole("button", { name: "Regenerate the primary key" }).click();
      assert.equal(await reveal(page, "Primary key"), service.key);
    });

    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      test(`the keys keep no one out and fit 320 px, ${colorScheme}`, async () => {
        const { page } = await open({ colorScheme, viewport: { width: 320, height: 640 } });
        await page.getByRole("region", { name: "Secondary key", exact: true }).waitFor();
        await checkAccess(page, colorScheme);
        assert.ok((await overflow(page)) <= 0);
      });
    }

    test("the trace is watched", async () => {
      const hub = service.newHub();
      const { page, complaints } = await open();
      await goTo(page, `trace/${hub.name}`);
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByText("Watching", { exact: true }).waitFor();
      await hub.connect({ user: "alice" });
      await page.getByText("connected").first().waitFor();
      assert.deepEqual(complaints, []);
    });
  });
}
