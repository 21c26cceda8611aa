// What the service is to reach beside others, and whether it does.
import { NEIGHBOURS } from "./workloads.mjs";
import { median, ratio } from "./statistics.mjs";

/** @import { Results } from "./report.mjs" */

/**
 * A ratio of one contender's figure to another's, with the `least` or the `most` that it may be.
 * @typedef {{
 *   what: string, workload: string, key: string, own: string, other: string, least?: number, most?: number,
 * }} RatioTarget
 *
 * A figure of one alone, in a `unit`, with the most that it may be.
 * @typedef {{
 *   what: string, workload: string, key: string, own: string, other?: undefined, most: number, unit: string,
 * }} FigureTarget
 *
 * A target with what was measured, in words; `holds` is undefined where it was not measured.
 * @typedef {{ what: string, target: string, measured: string, holds: boolean | undefined }} Reached
 */

/**
 * @param {string} what
 * @param {{ workload: string, key: string, own: string, other?: string, least?: number, most?: number }} target
 */
const beside = (what, { workload, key, own, other = "bare", least, most }) => ({
  what,
  workload,
  key,
  own,
  other,
  least,
  most,
});

/**
 * The same measure of the native server beside each of these, with the least or the most that it may be.
 * @param {string} what
 * @param {{ workload: string, key: string, own?: string, least?: Record<string, number>, most?: Record<string, number> }} target
 */
const nativeBeside = (what, { workload, key, own = "native", least = {}, most = {} }) => [
  ...Object.entries(least).map(([other, least]) => beside(what, { workload, key, own, other, least })),
  ...Object.entries(most).map(([other, most]) => beside(what, { workload, key, own, other, most })),
];

/** Workloads in which deliveries are counted. */
const DELIVERED = [
  "rest-100",
  "rest-1000",
  "client-200",
  "client-200-plain",
  "groups-100",
  "size-16",
  "size-1k",
  "size-64k",
];
/**
 * Who is measured beside each flood.
 * @type {Record<string, string[]>}
 */
const FLOODS = {
  "flood-joins": ["json", "reliable"],
  "flood-reliable": ["reliable"],
  "flood-plain": ["json"],
  "flood-events": ["json", "reliable"],
};
/** Ratios to be reached below this one are said with a digit more. */
const SMALL = 0.2;
/** Other clients' p99 beside a flood: so often the quiet one, and so many milliseconds. */
const STALL = { ratio: 5, ms: 250 };

/** MQTT's deliveries, each beside another's. */
const MQTT = [
  { own: "native-mqtt", other: "mosquitto", most: 1.5 },
  { own: "native-mqtt-qos1", other: "mosquitto-qos1", most: 3 },
  { own: "mqtt", other: "json", most: 1.1 },
];

/**
 * Of the native server, on one thread: ratios, and figures that are to be so at `most`, of a `unit`.
 * @type {(RatioTarget | FigureTarget)[]}
 */
const nativeTargets = [
  ...["rest-100", "client-200"].flatMap((workload) =>
    nativeBeside("CPU a delivery", {
      workload,
      key: "cpu_us_per_delivery",
      most: { json: 1 / 15, nchan: 0.4, bun: 1.4, "socket.io": 1 / 8 },
    }),
  ),
  ...nativeBeside("CPU a REST publish", {
    workload: "rest-1",
    key: "cpu_us_per_publish",
    most: { json: 1 / 20, nchan: 1.2, bun: 1.1 },
  }),
  ...nativeBeside("CPU a publish over one socket, with ack", {
    workload: "one-socket-acks",
    key: "cpu_us_per_publish",
    most: { json: 1 / 20, bun: 2.5 },
  }),
  ...nativeBeside("deliveries a second", {
    workload: "rest-100",
    key: "deliveries_per_second",
    least: { nchan: 4, "socket.io": 5 },
  }),
  ...Object.entries({ "native-reliable": 1.5, "native-reliable-full": 2 }).flatMap(([own, most]) => [
    ...nativeBeside("CPU a REST publish", {
      workload: "rest-8",
      key: "cpu_us_per_publish",
      own,
      most: { native: most },
    }),
    ...nativeBeside("CPU a delivery", {
      workload: "rest-100",
      key: "cpu_us_per_delivery",
      own,
      most: { native: most },
    }),
  ]),
  ...nativeBeside("p50 at 100 publishes a second", { workload: "latency", key: "p50_ms", most: { nchan: 1.6 } }),
  {
    what: "PSS an idle connection beyond the 1,000th",
    workload: "idle",
    key: "memory_kb_per_connection",
    own: "native",
    most: 3,
    unit: "KB",
  },
  {
    what: "CPU a connect, joined",
    workload: "connects",
    key: "cpu_us_per_connect",
    own: "native",
    most: 120,
    unit: "µs",
  },
];

/**
 * What a host of the service is to reach, by its name on the command line of the bench.
 * @type {Record<string, (RatioTarget | FigureTarget)[]>}
 */
export const ofHost = { native: nativeTargets };

/**
 * Ratios of one contender's figure to another's, or figures of one alone, each with the `least` or the `most` that it may
 * be.
 * @type {(RatioTarget | FigureTarget)[]}
 */
export const targets = [
  ...["rest-100", "rest-1000", "client-200"].map((workload) =>
    beside("CPU a delivery", { workload, key: "cpu_us_per_delivery", own: "json", most: 1.05 }),
  ),
  beside("REST publishes a second", { workload: "rest-1", key: "publishes_per_second", own: "json", least: 0.95 }),
  beside("p50 of one REST publish", { workload: "rest-1-latency", key: "p50_ms", own: "json", most: 1.2 }),
  beside("connects a second", { workload: "connects", key: "connects_per_second", own: "json", least: 0.6 }),
  beside("CPU a connect", { workload: "connects", key: "cpu_us_per_connect", own: "json", most: 1.7 }),
  beside("messages a second over one socket", {
    workload: "one-socket",
    key: "publishes_per_second",
    own: "json",
    least: 0.95,
  }),
  ...["rest-100", "client-200"].map((workload) =>
    beside("deliveries a second", {
      workload,
      key: "deliveries_per_second",
      own: "reliable",
      other: "json",
      least: 0.85,
    }),
  ),
  ...["rest-1", "socket-1"].flatMap((workload) => [
    beside("publishes a second", { workload, key: "publishes_per_second", own: "reliable", other: "json", least: 0.6 }),
    beside("publishes a second", {
      workload,
      key: "publishes_per_second",
      own: "reliable",
      other: "reliable-before",
      least: 4,
    }),
  ]),
  beside("PSS an idle connection", { workload: "crowd", key: "memory_kb_per_connection", own: "json", most: 1.05 }),
  beside("joins a second", {
    workload: "joins",
    key: "operations_per_second",
    own: "json",
    other: "json-before",
    least: 20,
  }),
  ...DELIVERED.map((workload) =>
    beside("deliveries a second", {
      workload,
      key: "deliveries_per_second",
      own: "json",
      other: "partyserver",
      least: 1,
    }),
  ),
  ...["client-100-plain", "client-200-plain"].flatMap((workload) =>
    MQTT.map((pair) => beside("CPU a delivery", { workload, key: "cpu_us_per_delivery", ...pair })),
  ),
  beside("deliveries a second to all", {
    workload: "crowd",
    key: "all_deliveries_per_second",
    own: "json",
    other: "partyserver",
    least: 1,
  }),
  ...nativeTargets,
];

/**
 * Every target with what was measured: rows of texts, `holds` undefined where it was not measured. `results` are figures
 * by workload, contender and run.
 * @param {Results} results
 * @returns {Reached[]}
 */
export function reached(results) {
  return [
    ...targets.map((target) =>
      target.other !== undefined ? ratioReached(target, results) : figureReached(target, results),
    ),
    ...Object.keys(FLOODS).flatMap((flood) => floodReached(flood, results)),
  ];
}

/**
 * @param {RatioTarget} target
 * @param {Results} results
 * @returns {Reached}
 */
function ratioReached({ what, workload, key, own, other, least, most }, results) {
  const numbers = (/** @type {string} */ contender) =>
    (results[workload]?.[contender] ?? []).map((figures) => figures?.[key]);
  const exact = ratio(numbers(own), numbers(other));
  const bound = least ?? most ?? NaN;
  const digits = bound < SMALL ? 3 : 2;
  // What is printed is what is judged.
  const [measured, limit] = [exact, bound].map((number) => number && Number(number.toFixed(digits)));
  return {
    what: `${what} (${workload}): ${own} beside ${other}`,
    target: `${least === undefined ? "≤" : "≥"} ${limit} ×`,
    measured: measured === undefined ? "–" : `${measured.toFixed(digits)} ×`,
    holds:
      measured === undefined || limit === undefined
        ? undefined
        : least === undefined
          ? measured <= limit
          : measured >= limit,
  };
}

/**
 * @param {FigureTarget} target
 * @param {Results} results
 * @returns {Reached}
 */
function figureReached({ what, workload, key, own, most, unit }, results) {
  const runs = (results[workload]?.[own] ?? []).map((figures) => figures?.[key]);
  const exact = median(runs.filter((number) => number !== undefined));
  const measured = exact === undefined ? undefined : Number(exact.toFixed(2));
  return {
    what: `${what} (${workload}): ${own}`,
    target: `≤ ${most} ${unit}`,
    measured: measured === undefined ? "–" : `${measured} ${unit}`,
    holds: measured === undefined ? undefined : measured <= most,
  };
}

/**
 * @param {string} workload
 * @param {Results} results
 * @returns {Reached[]}
 */
function floodReached(workload, results) {
  return FLOODS[workload].flatMap((contender) =>
    Object.entries(NEIGHBOURS).map(([key, who]) => {
      const runs = results[workload]?.[contender] ?? [];
      const numbers = (/** @type {"flooded" | "quiet"} */ when) =>
        runs.map((figures) => figures?.[`${key}_${when}_p99_ms`]);
      const [stalled, times] = [
        median(numbers("flooded").filter((number) => number !== undefined)),
        ratio(numbers("flooded"), numbers("quiet")),
      ];
      return {
        what: `p99 of ${who} beside ${workload}: ${contender}`,
        target: `≤ ${STALL.ratio} × quiet, ≤ ${STALL.ms} ms`,
        measured:
          stalled === undefined || times === undefined ? "–" : `${times.toFixed(1)} ×, ${Math.round(stalled)} ms`,
        holds: stalled === undefined || times === undefined ? undefined : times <= STALL.ratio && stalled <= STALL.ms,
      };
    }),
  );
}
