// A page in Chromium that uses the package, and what comes of it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { extname } from "node:path";
import { after } from "node:test";
import { chromium } from "../../scripts/toolchain.mjs";
import { echo } from "./project.mjs";
import { portOf } from "../support/port.mjs";

process.env.CHROMIUM ??= chromium();
const { launchChromium, openPage } = await import("../support/browser.mjs");

/** @import { TestContext } from "node:test" */

/** @type {Record<string, string>} */
const types = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".html": "text/html",
  ".wasm": "application/wasm",
  ".css": "text/css",
};

/** @type {import("playwright-core").Browser | undefined} */
let browser;
after(() => browser?.close());

/** The least page: it does not ask for an icon, and loads one module script. */
export const html = (script = "/page.js") =>
  `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`;

/**
 * Serves files by their paths, and for all other paths a page that loads `/page.js`.
 * @param {Pick<TestContext, "after">} t
 * @param {Record<string, string | Buffer>} files
 * @param {string} [policy] The content security policy of all of them.
 */
export async function serve(t, files, policy) {
  const http = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://page");
    const file = files[pathname === "/" ? "/index.html" : pathname];
    const type = file ? (types[extname(pathname)] ?? "text/html") : "text/html";
    response.writeHead(200, { "content-type": type, ...(policy && { "content-security-policy": policy }) });
    response.end(file ?? html());
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  t.after(() => http.close());
  return `http://127.0.0.1:${portOf(http)}/`;
}

/**
 * What the page leaves in `result`, once it is there, without a complaint in the console.
 * @param {Pick<TestContext, "after">} t
 * @param {string} url
 */
export async function resultOf(t, url, expectComplaints = false) {
  browser ??= await launchChromium();
  const { page, complaints } = await openPage(browser, url);
  t.after(() => page.context().close());
  const result = await (await page.waitForFunction(() => globalThis.result)).jsonValue();
  if (!expectComplaints) assert.deepEqual(complaints, []);
  return result;
}

/**
 * A module script that connects to a service and leaves the echo in `result`.
 * @param {string} url
 */
export const page = (url, from = "@webpubsub-edge/client") => `
  import { WebPubSubClient } from ${JSON.stringify(from)};
  const url = ${JSON.stringify(url)};
  (async () => {
    ${echo}
    globalThis.result = result;
  })();`;
