#!/usr/bin/env bash
# In Chromium, `scrollIntoView` decides which element the next Tab goes to, where nothing has the focus.
#
# The good guess: scrolling is for the eye. Focus and the order of Tab are moved by `focus()`, by a click and by going to
# a fragment, which is what the announcement of the starting point of sequential focus navigation names. So a page may
# scroll its navigation to the current link when it loads, and the first Tab still goes to the link that skips it.
#
# Seen with Chromium 153 (@sparticuz/chromium 153.0.0, playwright-core 1.65.1): after `scrollIntoView` of a link the first
# Tab goes to the element after that link, and the elements before it are reached by going all the way round. The same
# scrolling by `scrollLeft` leaves the first Tab at the first link.
#
# Source: https://html.spec.whatwg.org/multipage/interaction.html#sequential-focus-navigation-starting-point, which lets
# a browser choose the starting point, and https://developer.chrome.com/blog/focus-start-point.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund playwright-core@1.65.1 @sparticuz/chromium@153.0.0

cat >try.mjs <<'JS'
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";

const PAGE = `
  <a href="#main" id="skip">Skip</a>
  <nav style="overflow: auto; white-space: nowrap; width: 200px">
    ${[1, 2, 3, 4].map((number) => `<a href="#${number}" id="link-${number}">A rather long link, ${number}</a>`).join(" ")}
  </nav>`;
const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args });

/** The element that the first Tab goes to, after something was done on a page that has just loaded. */
async function firstTabAfter(done) {
  const page = await browser.newPage();
  await page.setContent(PAGE);
  await page.evaluate(done);
  await page.keyboard.press("Tab");
  return page.evaluate(() => document.activeElement.id);
}

const seen = [
  await firstTabAfter("0"),
  await firstTabAfter("document.querySelector('nav').scrollLeft = 300"),
  await firstTabAfter("document.getElementById('link-3').scrollIntoView({ inline: 'center' })"),
];
console.log(`Chromium ${browser.version()}: the first Tab goes to ${seen[0]}; after scrollLeft to ${seen[1]}; after scrollIntoView of link-3 to ${seen[2]}`);
await browser.close();
const isAsDescribed = seen.join() === "skip,skip,link-4";
console.log(isAsDescribed ? "As described." : "Changed: read the head of this script again.");
process.exit(isAsDescribed ? 0 : 1);
JS
node try.mjs
