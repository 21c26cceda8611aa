// The service's page in a browser: opened, signed in, and looked at as people and their tools do.
import assert from "node:assert/strict";
import axe from "axe-core";
import { openPage } from "./browser.mjs";

/** @import { Browser, BrowserContextOptions, Page } from "playwright-core" */

/**
 * Opens a page of the portal; with a service's key, signed in.
 * @param {Pick<Browser, "newContext">} browser
 * @param {import("./service.mjs").Service} service
 * @param {string} path
 * @param {{ signedIn?: boolean } & BrowserContextOptions} options
 */
export async function openPortal(browser, service, path = "overview", { signedIn = true, ...options } = {}) {
  const opened = await openPage(browser, `${service.endpoint}/#/overview`, options);
  opened.page.setDefaultTimeout(20_000);
  if (signedIn) await signIn(opened.page, service.connectionString);
  if (path !== "overview") await goTo(opened.page, path);
  return opened;
}

/**
 * Signs in on a page that is signed out.
 * @param {Page} page
 * @param {string} connectionString
 */
export async function signIn(page, connectionString) {
  await page.getByLabel("Connection string or access key").fill(connectionString);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Signed in", { exact: true }).waitFor();
}

/**
 * Goes to a page by its address, and waits until it is there.
 * @param {Page} page
 * @param {string} path
 */
export async function goTo(page, path) {
  await page.evaluate((hash) => (location.hash = hash), `#/${path}`);
  await page.locator(`nav a[href="#/${path.split("/")[0]}"][aria-current="page"]`).waitFor();
  await page.locator("main > :nth-child(2)").first().waitFor({ state: "attached" });
}

/**
 * Fails where axe finds something that keeps people out.
 * @param {Page} page
 * @param {string} what
 */
export async function checkAccess(page, what) {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    /** @type {{ violations: { id: string, nodes: { html: string, failureSummary: string }[] }[] }} */
    const { violations } = await /** @type {any} */ (globalThis).axe.run(document, { resultTypes: ["violations"] });
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`).join(" | ")}`,
    );
  });
  assert.deepEqual(violations, [], what);
}

/**
 * How much wider the page is than the window.
 * @param {Page} page
 */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
