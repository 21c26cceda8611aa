// The programs that the page shows for a client URL, run as they stand there.
import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { encode } from "uqr";
import { at } from "../../scripts/paths.mjs";
import { useChromium } from "../support/browser.mjs";
import { present } from "../support/found.mjs";
import { openPortal } from "../support/portal.mjs";
import { kill, start } from "../support/processes.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { until } from "../support/waiting.mjs";

const PYTHON = at(".tools", "venv", "bin", "python");

/** What runs each: as in a project that has installed what the page says. */
const javascript = (program) => [process.execPath, "--input-type=module", "--eval", program];
const ours = pathToFileURL(path.join(at("build", "client", "dist"), "node.js")).href;
const RUN = {
  JavaScript: (program) => javascript(program.replace('"@webpubsub-edge/client"', JSON.stringify(ours))),
  "Microsoft's client": javascript,
  Python: (program) => [PYTHON, "-B", "-u", "-c", program],
  "MQTT.js": javascript,
  "paho-mqtt": (program) => [PYTHON, "-B", "-u", "-c", program],
};

forEachShardCount(
  "Programs of a client URL",
  (service) => {
    const browser = useChromium();

    const urlShown = (page) => page.getByRole("region", { name: "The client URL" }).innerText();

    for (const [name, command] of Object.entries(RUN)) {
      test(`the program for ${name} receives a message`, async () => {
        const hub = service.newHub();
        const { page } = await openPortal(browser, service, "client-url");
        if (/mqtt/i.test(name)) await page.getByLabel("Clients").selectOption("MQTT");
        await page.getByLabel("Hub").fill(hub.name);
        await page.getByText(`Hub ${hub.name} at`).waitFor();
        await page.getByRole("tab", { name, exact: true }).click();
        await page.getByRole("tab", { name, exact: true, selected: true }).waitFor();
        const program = await page.getByRole("region", { name: "The program" }).innerText();
        const [file, ...args] = command(program);
        const child = start(file, args, { cwd: at() });
        let output = "";
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
        try {
          // MQTT's programs read a group; all others what is for all.
          const to = /mqtt/i.test(name) ? "/groups/room" : "";
          await until(async () => {
            await hub.send(to, "Hello World");
            await pass(100);
            return /^Received (message )?.*Hello World/m.test(output);
          }, `a message in the output of ${name}`);
        } catch (error) {
          assert.fail(`${error}\n${output}`);
        } finally {
          kill(child);
        }
      });
    }

    test("the QR code is of the URL that is shown", async () => {
      const { page } = await openPortal(browser, service, "client-url");
      await page.getByText("As a QR code").click();
      const { size, data } = encode(await urlShown(page), { ecc: "L", border: 4 });
      const dark = data.flat().filter(Boolean).length;
      const drawn = page.getByRole("img", { name: "The client URL as a QR code" });
      await drawn.waitFor();
      assert.equal(await drawn.getAttribute("viewBox"), `0 0 ${size} ${size}`);
      assert.equal(present(await drawn.locator("path").getAttribute("d"), "the code").split("M").length - 1, dark);
    });
  },
  { steady: "it is about the browser", shardCounts: [1] },
);
