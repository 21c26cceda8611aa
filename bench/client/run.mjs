// Our client beside Microsoft's: how long each takes over a message, in Node and in Chromium, and how much of the processor.
import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { at } from "../../scripts/paths.mjs";
import { short } from "../report.mjs";
import { ratio, summary } from "../statistics.mjs";
import { openChromium } from "./page.mjs";

const run = promisify(execFile);

/**
 * How many messages of which length.
 * @typedef {{ title: string, length: number, count: number }} Flood
 *
 * Microseconds that a message took, of time and of the processor.
 * @typedef {{ time: number, cpu: number }} ClientFigures
 *
 * What was measured of one flood on one platform, by the client's name.
 * @typedef {{ title: string, figures: Record<string, ClientFigures[]> }} ClientRow
 */

/** How many messages of which length make a flood: so many that what a client compiles meanwhile does not count. */
export const floods = [
  { title: "100 B", length: 100, count: 60_000 },
  { title: "1 KB", length: 1_000, count: 40_000 },
  { title: "10 KB", length: 10_000, count: 12_000 },
];

const dist = at("build", "client", "dist");
const microsoft = at("node_modules", "@azure", "web-pubsub-client-1.1");
/**
 * Where both are measured, with the modules of either.
 * @typedef {{ name: string, title: string, modules: Record<string, string> }} ClientPlatform
 */

/** @type {ClientPlatform[]} */
export const clientPlatforms = [
  {
    name: "node",
    title: "Node",
    modules: {
      ours: pathToFileURL(`${dist}/node.js`).href,
      "Microsoft's": pathToFileURL(`${microsoft}/dist/esm/index.js`).href,
    },
  },
  {
    name: "chromium",
    title: "Chromium",
    modules: { ours: `${dist}/browser.js`, "Microsoft's": `${microsoft}/dist/browser/index.js` },
  },
];

/**
 * Measures both on some platforms, `runs` times and in turns: microseconds a message by platform, flood and client, the
 * CPU's beside those that passed. In Node the CPU's are the process's, in Chromium those of the page's thread in
 * scripts. `where` is called with what is measured.
 * @param {{ platforms: ClientPlatform[], runs: number, where(what: string): void }} options
 */
export async function measureClients({ platforms, runs, where }) {
  const service = fork(at("bench", "client", "flood.mjs"));
  const [port] = await once(service, "message");
  const url = `ws://127.0.0.1:${port}/client/hubs/bench`;
  const chromium = await openChromium();
  const program = at("bench", "client", "node.mjs");
  /** @type {Record<string, (module: string, flood: Flood) => Promise<ClientFigures>>} */
  const measure = {
    node: async (module, flood) =>
      JSON.parse((await run(process.execPath, [program, module, url, JSON.stringify(flood)])).stdout),
    chromium: (module, flood) => chromium.measure(module, url, flood),
  };
  /** @type {ClientRow[]} */
  const rows = [];
  try {
    for (const { name: platform, title, modules } of platforms) {
      for (const flood of floods) {
        /** @type {Record<string, ClientFigures[]>} */
        const figures = { ours: [], "Microsoft's": [] };
        for (let n = 0; n < runs; n++) {
          where(`${title}, ${flood.title}, run ${n + 1} of ${runs}`);
          // Whoever comes first has the machine as the one before left it: in turns.
          const order = Object.entries(modules);
          for (const [name, module] of n % 2 === 0 ? order : order.reverse())
            figures[name].push(await measure[platform](module, flood));
        }
        rows.push({ title: `${title}, ${flood.title}`, figures });
      }
    }
  } finally {
    await chromium.close();
    service.disconnect();
  }
  return rows;
}

/**
 * What was measured, as a table of Markdown: a ratio below 1 says that ours takes less.
 * @param {ClientRow[]} rows
 */
export function clientTable(rows) {
  const cells = (/** @type {ClientRow["figures"]} */ figures, /** @type {keyof ClientFigures} */ key) => {
    const [ours, theirs] = ["ours", "Microsoft's"].map((name) => figures[name].map((figure) => figure[key]));
    const text = (/** @type {number[]} */ numbers) => {
      const { median, min, max } = /** @type {{ median: number, min: number, max: number }} */ (summary(numbers));
      return `${short(median)} (${short(min)}–${short(max)})`;
    };
    return [text(ours), text(theirs), /** @type {number} */ (ratio(ours, theirs)).toFixed(2)];
  };
  return [
    "| µs a message | CPU: ours | Microsoft's 1.1.0 | ratio | time: ours | Microsoft's 1.1.0 | ratio |",
    `| --- |${" ---: |".repeat(6)}`,
    ...rows.map(({ title, figures }) => {
      return `| ${[title, ...cells(figures, "cpu"), ...cells(figures, "time")].join(" | ")} |`;
    }),
  ];
}
