// Metrics on the page: Azure's names, lines, a table, and the same by shard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { checkAccess, goTo, openPortal, overflow } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";

const QUOTA = 8;

forEachShardCount(
  "Metrics on the page",
  (service) => {
    const browser = useChromium();

    /** Opens the page, has what happens counted, and opens it again, which asks anew. */
    const lookAtTwice = async (hub, happens, options = {}) => {
      const opened = await openPortal(browser, service, "metrics", options);
      await opened.page.getByLabel("Hub").selectOption(hub.name.toLowerCase());
      await happens();
      await goTo(opened.page, "overview");
      await goTo(opened.page, "metrics");
      return opened;
    };
    const row = (page, name) => page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });
    const values = (row) => row.locator("td.number").allInnerTexts();

    test("connections and traffic have Azure's names and lines", async () => {
      const hub = service.newHub();
      const gone = await hub.connect({});
      const { page, complaints } = await lookAtTwice(hub, async () => {
        const stays = await hub.connect({ groups: ["room"] });
        await hub.send("/groups/room", "x".repeat(2000));
        await stays.json();
        await gone.close();
      });
      await page.getByRole("img", { name: /^Connections: 1 now/ }).waitFor();
      await page.getByRole("img", { name: /^Quota used: 12.5 % now/ }).waitFor();
      await page.getByRole("img", { name: /^Opened a minute: [\d.,]*[1-9]/ }).waitFor();
      await page.getByRole("img", { name: /^Closed a minute: [\d.,]*[1-9]/ }).waitFor();
      await page.getByRole("img", { name: /^Sent a second: [\d.]*[1-9]/ }).waitFor();
      for (const [name, azure, least] of /** @type {[string, string, number][]} */ ([
        ["connections", "TotalConnectionCount", 1],
        ["connection_quota", "ConnectionQuotaUtilization: 12.5 %", QUOTA],
        ["connections_opened_total", "ConnectionOpenCount", 2],
        ["connections_closed_total", "ConnectionCloseCount", 1],
        ["received_bytes_total", "InboundTraffic", 0],
        ["sent_bytes_total", "OutboundTraffic", 2000],
      ])) {
        const named = row(page, `webpubsub_${name}`);
        await named.getByText(azure, { exact: true }).waitFor();
        const [value] = await values(named);
        assert.ok(Number(value.replaceAll(",", "")) >= least, `${name}: ${value}`);
      }
      assert.deepEqual(complaints, []);
    });

    /** What the service remembers of a hub with as many shards, which had 40 clients in the hour, 41 and so on. */
    const hourOf = (hub) => {
      const shards = Array.from({ length: service.shards }, (_, number) => {
        const connections = Array.from({ length: 60 }, (_, minute) => (minute === 30 ? 40 + number : 0));
        return { minutes: 60, metrics: { webpubsub_connections: connections } };
      });
      return { time: Date.now(), hubs: [{ hub: hub.name, total: shards[0], shards }] };
    };
    const mostOfAll = Array.from({ length: service.shards }, (_, number) => 40 + number).reduce((a, b) => a + b);
    const lookBackAt = (page, hub) =>
      page.route("**/management/metrics/history", (route) => route.fulfill({ json: hourOf(hub) }));

    test("the last hour is there as soon as the page opens", async () => {
      const hub = service.newHub();
      await hub.connect({});
      const { page, complaints } = await openPortal(browser, service);
      await lookBackAt(page, hub);
      await goTo(page, "metrics");
      await page.getByLabel("Hub").selectOption(hub.name);
      await page.getByRole("img", { name: `Connections: 1 now, at most ${mostOfAll}` }).waitFor();
      await page.getByText("Minute by minute, as a table").click();
      const rows = page.getByRole("group", { name: "Minute by minute" }).locator("tbody tr");
      await rows.first().waitFor();
      const all = await Promise.all((await rows.all()).map(values));
      assert.ok(all.length >= 60, `${all.length} rows`);
      assert.deepEqual(
        all.map(([connections]) => connections).filter((value) => Number(value) > 1),
        [String(mostOfAll)],
      );
      assert.deepEqual(complaints, []);
    });

    test("one shard has lines of its own", async () => {
      const hub = service.newHub();
      await hub.connect({});
      const { page } = await openPortal(browser, service);
      await lookBackAt(page, hub);
      await goTo(page, "metrics");
      await page.getByLabel("Hub").selectOption(hub.name);
      await page.getByRole("img", { name: `Connections: 1 now, at most ${mostOfAll}` }).waitFor();
      const choice = page.getByLabel("Shard", { exact: true });
      if (service.shards === 1) return assert.equal(await choice.count(), 0);
      const now = [];
      for (let shard = 0; shard < service.shards; shard++) {
        await choice.selectOption(`Shard ${shard}`);
        const line = page.getByRole("img", { name: new RegExp(`^Connections: [01] now, at most ${40 + shard}$`) });
        now.push(Number(/\d/.exec((await line.getAttribute("aria-label")) ?? "")?.[0]));
      }
      assert.equal(
        now.reduce((sum, connections) => sum + connections, 0),
        1,
      );
      await page.getByLabel("Hub").selectOption("All hubs");
      await choice.waitFor({ state: "detached" });
    });

    test("the table of shards has a row for each, which add up", async () => {
      const hub = service.newHub();
      await Promise.all(Array.from({ length: 4 }, () => hub.connect({})));
      const { page } = await lookAtTwice(hub, async () => {});
      await page.getByRole("img", { name: /^Connections: 4 now/ }).waitFor();
      const rows = page.getByRole("region", { name: "By shard" }).locator("tbody tr");
      const all = await Promise.all((await rows.all()).map(values));
      assert.deepEqual(
        all.map(([shard]) => shard),
        Array.from({ length: service.shards }, (_, shard) => String(shard)),
      );
      assert.equal(
        all.reduce((sum, [, connections]) => sum + Number(connections), 0),
        4,
      );
    });

    test("the address for Prometheus is the one that answers", async () => {
      const { page } = await openPortal(browser, service, "metrics");
      await page.getByRole("region", { name: "The address of the metrics" }).waitFor();
      const address = await page.getByRole("region", { name: "The address of the metrics" }).innerText();
      assert.equal(address, `${service.endpoint}/management/metrics`);
      const { status, body } = await service.manage("GET", "metrics");
      assert.deepEqual([status, /^# TYPE webpubsub_connections gauge$/m.test(body)], [200, true]);
    });

    test("they keep no one out and fit 320 px", async () => {
      const hub = service.newHub();
      await hub.connect({});
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        const viewport = { width: 320, height: 640 };
        const { page } = await lookAtTwice(hub, async () => {}, { colorScheme, viewport });
        await page.getByRole("img", { name: /^Connections: 1 now/ }).waitFor();
        assert.equal(await overflow(page), 0);
        await checkAccess(page, colorScheme);
        await page.setViewportSize({ width: 1280, height: 800 });
        await checkAccess(page, colorScheme);
        await page.context().close();
      }
    });
  },
  { steady: "it is about the browser", variables: { CONNECTION_QUOTA: String(QUOTA) } },
);
