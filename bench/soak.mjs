// A soak: one workload for a long time, at half of the rate that was measured before it, while memory is looked at.
import { readFileSync } from "node:fs";
import { generate } from "./runner.mjs";

const GROUPS = 4;
const MEMBERS = 40;
const SIZE = 256;
/** How many messages of each of the publishers are on their way at once, at most. */
const WINDOW = 16;
const LOOK_EVERY_MS = 500;
const MEASURED_SECONDS = 3;

/**
 * @import { RunningServer } from "./contenders.mjs"
 * @import { Figures } from "./report.mjs"
 */

/**
 * What came of a soak: the figures of the load generator, the rate that was kept and the largest that was measured, and
 * how much memory the process had in each fifth of the time, at most.
 * @typedef {{ figures: Figures, rate: number, largest: number, fifths: number[] }} Soaked
 */

/** What the memory of a process may grow by, from its beginning to its end: a part of it, and bytes beside. */
const GROWTH = { part: 0.1, bytes: 8 << 20 };

/**
 * Soaks a server for so many seconds: reliable clients publish, with acks, to the members of their groups. `at` is called
 * with where it is.
 * @param {string} generator
 * @param {RunningServer} server
 * @param {number} seconds
 * @param {(where: string) => void} at
 * @returns {Promise<Soaked>}
 */
export async function soak(generator, server, seconds, at = () => {}) {
  const workload = (/** @type {string} */ hub, /** @type {number | undefined} */ rate = undefined) => {
    const groups = Array.from({ length: GROUPS }, (_, n) => `group${n}`);
    const clients = groups.map((group) => server.member(hub, group));
    return {
      kind: "publish",
      by: "member",
      members: MEMBERS,
      groups,
      clients,
      acks: true,
      window: WINDOW,
      rate,
      size: SIZE,
    };
  };
  at("what it carries");
  const { publishes_per_second: largest } = await generate(generator, server, workload("measured"), {
    measured: MEASURED_SECONDS,
    warmUp: 1,
  });
  const rate = Math.floor(largest / 2);
  const started = performance.now();
  /** @type {number[]} */
  const samples = [];
  const looking = setInterval(() => {
    samples.push(memory(server.pid));
    const now = Math.round((performance.now() - started) / 1000);
    at(`${now} of ${seconds} s, ${rate} publishes a second, ${mebibytes(samples.at(-1) ?? 0)} MiB`);
  }, LOOK_EVERY_MS);
  try {
    const figures = await generate(generator, server, workload("soaked", rate), { measured: seconds, warmUp: 1 });
    return { figures, rate, largest, fifths: fifths(samples) };
  } finally {
    clearInterval(looking);
  }
}

/**
 * What is wrong with a soak's outcome, in words; nothing if it is as it should be.
 * @param {Pick<Soaked, "figures" | "fifths">} soaked
 */
export function problems({ figures, fifths }) {
  const [first, ...others] = fifths;
  const grown = Math.max(...others) - first;
  return [
    figures.lost > 0 && `${figures.lost} deliveries were lost`,
    figures.doubled > 0 && `${figures.doubled} deliveries came twice, or to another group`,
    grown > GROWTH.part * first + GROWTH.bytes && `its memory grew by ${mebibytes(grown)} MiB`,
  ].filter(Boolean);
}

/**
 * A soak's outcome, a line each.
 * @param {Soaked} soaked
 */
export function lines({ figures, rate, largest, fifths }) {
  const milliseconds = (/** @type {string} */ key) => `${figures[key].toFixed(2)} ms`;
  return [
    `rate: ${Math.round(figures.publishes_per_second)} publishes a second, ${rate} asked for, ${Math.round(largest)} at full speed`,
    `deliveries: ${Math.round(figures.deliveries_per_second)} a second, ${figures.lost} lost, ${figures.doubled} doubled`,
    `latency: p50 ${milliseconds("p50_ms")}, p99 ${milliseconds("p99_ms")}, at most ${milliseconds("max_ms")}`,
    `memory in each fifth of the time, at most: ${fifths.map(mebibytes).join(", ")} MiB`,
  ];
}

/** @param {number} bytes */
const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(1);

/**
 * What a process has in memory, in bytes.
 * @param {number | undefined} pid
 */
function memory(pid) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

/** @param {number[]} samples */
function fifths(samples) {
  const at = (/** @type {number} */ part) => Math.floor((part / 5) * samples.length);
  return Array.from({ length: 5 }, (_, n) => Math.max(...samples.slice(at(n), Math.max(at(n + 1), at(n) + 1))));
}
