// Chromium, driven as a person would use it.
import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";

/** @import { Browser, BrowserContext, BrowserContextOptions } from "playwright-core" */

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launchChromium() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: QUIET });
}

/**
 * A Chromium for the suite that calls this: it runs from before the first test until after the last one, and what a
 * test opens in it is closed when that test is over.
 * @returns {Pick<Browser, "newContext">}
 */
export function useChromium() {
  /** @type {Browser} */
  let browser;
  before(async () => (browser = await launchChromium()));
  after(() => browser.close());
  afterEach(() => Promise.all(browser.contexts().map(close)));
  return { newContext: (options) => browser.newContext(options) };
}

/**
 * Closes what a test has opened. That a route's handler which is still at work then fails is no error.
 * @param {BrowserContext} context
 */
async function close(context) {
  await Promise.all(context.pages().map((page) => page.unrouteAll({ behavior: "ignoreErrors" })));
  await context.close();
}

/**
 * A page, and everything that it complained about: errors, warnings, uncaught exceptions.
 * @param {Pick<Browser, "newContext">} browser
 * @param {string} url
 * @param {BrowserContextOptions} options
 */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}
