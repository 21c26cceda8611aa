#!/usr/bin/env bash
# From Chromium 150 on, an effect of React that is written `() => element.scrollIntoView()` leaves a blank page.
#
# The good guess: `scrollIntoView` gives nothing back, so an arrow function without braces that calls it is an effect
# without a clean-up: TypeScript, which knows what an effect may return, takes it, and where the message list scrolls to
# its end with the first message, it does so with all others.
#
# Seen with React 19.3.1 as it is built for production, TypeScript 7.0.2 with @types/react 19.3.3, playwright-core 1.65.1,
# and Chromium 149 and 153 (@sparticuz/chromium 149.0.0 and 153.0.0): in 153 the method returns a promise, which its type
# does not say. React keeps it as the clean-up and calls it before the effect's next run, and once more while it takes
# away all that it had drawn, because of the TypeError. The first run is well, so it takes a second message to see it; in
# 149 both are shown. `scrollTo`, of elements and of the window, returns a promise as well. With braces around the call
# all is well.
#
# Source: https://drafts.csswg.org/cssom-view/#dom-element-scrollintoview, which says that it returns a promise, and
# https://chromestatus.com/feature/5082138340491264; https://react.dev/reference/react/useEffect#parameters.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts playwright-core@1.65.1 esbuild@0.28.2 typescript@7.0.2 \
  react@19.3.1 react-dom@19.3.1 @types/react@19.3.3 chromium-149@npm:@sparticuz/chromium@149.0.0 \
  chromium-153@npm:@sparticuz/chromium@153.0.0

cat >messages.ts <<'TS'
import { createElement, useEffect, useRef } from "react";

export function WithoutBraces({ messages }: { messages: string[] }) {
  const end = useRef<HTMLParagraphElement>(null);
  useEffect(() => end.current?.scrollIntoView(), [messages]);
  return createElement("div", null, ...messages.map((text) => createElement("p", { ref: end }, text)));
}

export function WithBraces({ messages }: { messages: string[] }) {
  const end = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView();
  }, [messages]);
  return createElement("div", null, ...messages.map((text) => createElement("p", { ref: end }, text)));
}
TS
cat >page.js <<'JS'
import { createElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import * as lists from "./messages.ts";

/** How many messages are on the page after the first and after the second, and what went wrong. */
globalThis.show = async (name) => {
  const errors = [];
  const place = document.body.appendChild(document.createElement("main"));
  const root = createRoot(place, { onUncaughtError: (error) => errors.push(error.name) });
  const shown = [];
  for (const messages of [["one"], ["one", "two"]]) {
    flushSync(() => root.render(createElement(lists[name], { messages })));
    // Its effects are run by then.
    await new Promise((resolve) => setTimeout(resolve, 500));
    shown.push(place.querySelectorAll("p").length);
  }
  return [...shown, ...errors].join(" ");
};
JS
node_modules/.bin/tsc --noEmit --strict --module esnext --moduleResolution bundler messages.ts
node_modules/.bin/esbuild page.js --bundle --minify --define:process.env.NODE_ENV='"production"' --outfile=page.min.js \
  --log-level=error

cat >try.mjs <<'JS'
import { mkdirSync, readFileSync } from "node:fs";
import { chromium as playwright } from "playwright-core";

const [version] = process.argv.slice(2);
// The package unpacks the browser there.
process.env.TMPDIR = `${process.cwd()}/${version}`;
mkdirSync(process.env.TMPDIR);
const { default: chromium } = await import(`chromium-${version}`);
const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args });
const page = await browser.newPage();
await page.addScriptTag({ content: readFileSync("page.min.js", "utf8") });
const returned = await page.evaluate("String(document.body.scrollIntoView())");
const [without, withBraces] = [await page.evaluate("show('WithoutBraces')"), await page.evaluate("show('WithBraces')")];
const shown = `without braces ${without}, with braces ${withBraces}`;
console.log(`Chromium ${browser.version()}: returns ${returned}; messages shown: ${shown}`);
await browser.close();
JS
seen=$(node try.mjs 149; node try.mjs 153)
echo "$seen"
expected="Chromium 149.0.7827.0: returns undefined; messages shown: without braces 1 2, with braces 1 2
Chromium 153.0.8010.0: returns [object Promise]; messages shown: without braces 1 0 TypeError TypeError, with braces 1 2"
[ "$seen" = "$expected" ] && echo "As described." || {
  echo "Changed: read the head of this script again."
  exit 1
}
