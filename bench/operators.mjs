// What operators cost who look on while a hub is busy, and what a large hub costs their browser: see `--help`.
//
// `trace`: one publisher over a WebSocket at a steady rate, and rounds with and without an open trace that alternate, so
// that whatever else the machine does falls on both. Prints the service's CPU in either, and the ratio of the sums.
// `page`: Chromium lists very many connections page after page and searches them; prints its long tasks.
import { readFileSync } from "node:fs";
import { setTimeout as pass } from "node:timers/promises";
import { parse } from "../scripts/command.mjs";
import { checkOpenFiles } from "../scripts/open-files.mjs";
import { oneOf, whole } from "../scripts/options.mjs";
import { exitOnSignals } from "../scripts/processes.mjs";
import { UsageProblem, main, say } from "../scripts/terminal.mjs";
import { launchChromium } from "../tests/support/browser.mjs";
import { Crowd } from "../tests/support/crowd.mjs";
import { goTo, openPortal } from "../tests/support/portal.mjs";
import { Service } from "../tests/support/service.mjs";
import { watch } from "../tests/support/trace.mjs";

/** @satisfies {import("../scripts/command.mjs").Command} */
const command = {
  name: "node bench/operators.mjs",
  about:
    "Measures what operators cost. trace: the service's CPU for a steady publisher, with and without an open trace in turns.\npage: the long tasks of Chromium while it lists very many connections, page after page, and searches them.",
  flags: {
    host: { type: "string", default: "workerd", value: "NAME", about: "What runs the service: workerd or native." },
  },
  rest: "trace [MESSAGES_A_SECOND [ROUNDS [SECONDS]]] | page [CONNECTIONS]",
  examples: [
    ["node bench/operators.mjs trace", "1,000 messages a second, 10 rounds of 5 s each"],
    ["node bench/operators.mjs page 2000", "2,000 connections"],
    ["node bench/operators.mjs page --host native", "10,000 connections, each of which is one open file there"],
  ],
};

/** The npm script that runs the service on each host. */
const RUNNERS = { workerd: "serve", native: "server" };
const MAX_NUMBER = 1_000_000;
const CONNECTIONS = 10_000;
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

async function page(service, [count = CONNECTIONS]) {
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

exitOnSignals();
await main(async () => {
  const { host, rest } = parse(process.argv.slice(2), command);
  oneOf("--host", host, Object.keys(RUNNERS));
  const [what, ...given] = rest;
  const measure = { trace, page }[what];
  if (!measure) throw new UsageProblem(`What is to be measured: ${command.rest}?`);
  const numbers = given.map((text) => whole("Each number", text, 1, MAX_NUMBER));
  if (measure === page && host === "workerd") checkOpenFiles(numbers[0] ?? CONNECTIONS);
  const service = new Service({ runner: RUNNERS[host], variables: { CLIENT_MESSAGES_PER_SECOND: 0 } });
  try {
    await measure(await service.start(), numbers);
  } finally {
    await service.stop();
  }
});
process.exit();
