// What operators cost who look on while a hub is busy, and what a large hub costs their browser:
//
//   node bench/operators.mjs trace [MESSAGES_A_SECOND [ROUNDS [SECONDS]]]
//   node bench/operators.mjs page [CONNECTIONS]
//
// `trace`: one publisher over a WebSocket at a steady rate, and rounds with and without an open trace that alternate, so
// that whatever else the machine does falls on both. Prints the service's CPU in either, and the ratio of the sums.
// `page`: Chromium lists very many connections page after page and searches them; prints its long tasks.
import { readFileSync } from "node:fs";
import { setTimeout as pass } from "node:timers/promises";
import { launchChromium } from "../tests/support/browser.mjs";
import { Crowd } from "../tests/support/crowd.mjs";
import { goTo, openPortal } from "../tests/support/portal.mjs";
import { Service } from "../tests/support/service.mjs";
import { watch } from "../tests/support/trace.mjs";

const [what = "", ...given] = process.argv.slice(2);
const numbers = given.map(Number);
/** Ticks of a second in /proc. */
const TICKS = 100;
const STEP_MS = 20;

/** The CPU seconds that a process has taken. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Sends so many messages a second to a group, without acks. */
async function publish(client, rate, duration) {
  const started = performance.now();
  for (let sent = 0; performance.now() - started < duration * 1000; await pass(STEP_MS)) {
    const due = Math.floor(((performance.now() - started) / 1000) * rate);
    for (; sent < due; sent++)
      client.send({ type: "sendToGroup", group: "room", dataType: "text", data: `message ${sent}`, noEcho: true });
  }
}

async function trace(service, [rate = 1000, rounds = 10, seconds = 5]) {
  const hub = service.newHub();
  const publisher = await hub.connect({ roles: ["webpubsub.sendToGroup.room"] });
  await Crowd.connect(1, () => hub.clientUrl({ groups: ["room"] }));
  const sums = { without: 0, with: 0 };
  const measure = async (name) => {
    const before = cpu(service.pid);
    await publish(publisher, rate, seconds);
    await pass(200);
    sums[name] += cpu(service.pid) - before;
    return cpu(service.pid) - before;
  };
  await publish(publisher, rate, seconds);
  for (let round = 0; round < rounds; round++) {
    const taken = {};
    for (const name of round % 2 === 0 ? ["without", "with"] : ["with", "without"]) {
      const open = name === "with" ? await watch(service, hub) : undefined;
      taken[name] = await measure(name);
      open?.socket.cut();
    }
    say(`round ${round + 1}: ${taken.without.toFixed(2)} s without a trace, ${taken.with.toFixed(2)} s with one`);
  }
  const ratio = (sums.with / sums.without).toFixed(3);
  const what = `${rate} messages/s, ${rounds} × ${seconds} s each`;
  say(`${what}: ${sums.without.toFixed(2)} s of CPU without a trace, ${sums.with.toFixed(2)} s with one: ${ratio}`);
}

async function page(service, [count = 10_000]) {
  const hub = service.newHub();
  let user = 0;
  await Crowd.connect(count, () => hub.clientUrl({ user: `user-${++user}`, groups: [`group-${user % 100}`] }));
  say(`${count} connections`);
  const browser = await launchChromium();
  const { page } = await openPortal(browser, service, "overview");
  await page.evaluate(() => {
    const tasks = [];
    Object.assign(globalThis, { tasks });
    new PerformanceObserver((list) =>
      tasks.push(...list.getEntries().map((task) => Math.round(task.duration))),
    ).observe({
      // Browsers', not Node's.
      type: /** @type {import("node:perf_hooks").EntryType} */ ("longtask"),
      buffered: true,
    });
  });
  const longest = async (did) => {
    const tasks = await page.evaluate(() =>
      /** @type {{ tasks: number[] }} */ (/** @type {unknown} */ (globalThis)).tasks.splice(0),
    );
    say(`${did}: ${tasks.length} long tasks, the longest ${Math.max(0, ...tasks)} ms`);
  };
  await goTo(page, `connections/${hub.name}`);
  await page.getByText("100 connections, and more").waitFor();
  await longest("the first page");
  for (let pages = 1; pages < count / 100; pages++) {
    const [first] = await page.locator("button.link").allInnerTexts();
    await page.getByRole("button", { name: "Next page" }).click();
    await page.waitForFunction(
      (first) => document.querySelectorAll("button.link")[0]?.textContent?.trim() !== first,
      first,
    );
  }
  await longest(`all ${Math.ceil(count / 100)} pages`);
  for (const [label, text, found] of [
    ["User", `user-${count}`, "1 connection"],
    ["Group", "group-7", `${count / 100} connections`],
    ["Filter", `userId eq 'user-${count - 1}'`, "1 connection"],
  ]) {
    const started = performance.now();
    await page.getByLabel(label, { exact: true }).fill(text);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText(found).first().waitFor();
    await longest(`searched by ${label.toLowerCase()}, ${Math.round(performance.now() - started)} ms`);
    await page.getByLabel(label, { exact: true }).fill("");
  }
  await browser.close();
}

const say = (text) => console.log(text);
const kinds = { trace, page };
if (!Object.hasOwn(kinds, what)) {
  say("node bench/operators.mjs trace | page");
  process.exit(2);
}
const service = await new Service({ variables: { CLIENT_MESSAGES_PER_SECOND: 0 } }).start();
try {
  await kinds[what](service, numbers);
} finally {
  await service.stop();
}
process.exit();
