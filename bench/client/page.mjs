// Measurements in Chromium: each client is a bundle of its own, and each measurement a page of its own.
import { once } from "node:events";
import { createServer } from "node:http";
import { at } from "../../scripts/paths.mjs";
import { chromium } from "../../scripts/toolchain.mjs";

/** @import { ClientFigures, Flood } from "./run.mjs" */

/** Chromium, and the pages that it is shown: `measure(module, url, flood)` gives the figures, `close()` ends it. */
export async function openChromium() {
  process.env.CHROMIUM ??= chromium();
  const { launchChromium } = await import("../../tests/support/browser.mjs");
  const browser = await launchChromium();
  /** @type {Map<string | undefined, string>} */
  const scripts = new Map();
  const server = createServer((request, response) => {
    const script = scripts.get(request.url?.slice(1));
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(script ?? "<!doctype html><link rel=icon href=data:,>");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  const origin = `http://127.0.0.1:${address.port}`;
  return {
    /**
     * @param {string} module
     * @param {string} url
     * @param {Flood} flood
     * @returns {Promise<ClientFigures>}
     */
    async measure(module, url, flood) {
      const name = `${module.replaceAll(/\W/g, "-")}.js`;
      if (!scripts.has(name)) scripts.set(name, await bundled(module));
      const page = await browser.newPage();
      try {
        await page.goto(`${origin}/`);
        const metrics = await page.context().newCDPSession(page);
        // Of the page's thread, and of nothing else that the machine does meanwhile.
        await metrics.send("Performance.enable", { timeDomain: "threadTicks" });
        const cpuOfScripts = async () => {
          const { metrics: all } = await metrics.send("Performance.getMetrics");
          return (all.find(({ name }) => name === "ScriptDuration")?.value ?? NaN) * 1e6;
        };
        await page.evaluate(
          async ({ script, url, flood }) => {
            const client = await (await import(script)).default(url, flood);
            Object.assign(globalThis, { client });
            await client.once();
          },
          { script: `${origin}/${name}`, url, flood },
        );
        const before = await cpuOfScripts();
        const time = await page.evaluate(() =>
          /** @type {{ client: { once(): Promise<number> } }} */ (/** @type {unknown} */ (globalThis)).client.once(),
        );
        return { time, cpu: ((await cpuOfScripts()) - before) / flood.count };
      } finally {
        await page.close();
      }
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/**
 * A client as a page has it, minified, with what measures it.
 * @param {string} module
 */
async function bundled(module) {
  const contents = `
    import { WebPubSubClient } from ${JSON.stringify(module)};
    import { connect } from "./receive.mjs";
    export default (url, flood) => connect(WebPubSubClient, url, flood);`;
  // Not before: the set-up installs it.
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: at("bench", "client") },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    external: ["./groups-browser.js"],
  });
  return outputFiles[0].text;
}
