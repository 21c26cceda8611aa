// What is measured.
//
// A workload has a `name`, a `title`, the `scene` in which it runs (a contender is started once a run for all workloads
// of a scene), its `figures`, and `plan(server, options)`, which says what the load generator does (see
// `bench/load/src/plan.rs`), or `undefined` where the contender cannot do it. `options` are its `hub`, which no other
// workload uses, and whether the run `isQuick`: then crowds, joins and floods are a quarter. One that is not `isQuick`
// itself is left out of such a run.
//
// A figure has a `title`, and a `key` among what the load generator has measured. Of one that `isCount` the most of all
// runs is said; any other has a median, and a ratio to the yardstick's.
import { possibleConnections } from "../scripts/open-files.mjs";
import { HANDLED } from "./contenders/ours.mjs";

/**
 * @import { RunningServer } from "./contenders.mjs"
 * @import { Figure } from "./report.mjs"
 */

/**
 * What the load generator is to do.
 * @typedef {{ kind: string, [member: string]: unknown }} Plan
 *
 * @typedef {{
 *   name: string, title: string, scene: string, figures: Figure[], isQuick?: boolean, staysOpen?: boolean, of?: string[],
 *   plan(server: RunningServer, options: { hub: string, isQuick: boolean }): Plan | undefined,
 * }} Workload
 *
 * What is said of a workload whose plan is made here.
 * @typedef {Omit<Workload, "plan">} Described
 */

/** How many bytes a payload has where nothing else is said. */
const SIZE = 64;

/** @type {Figure[]} */
const latencies = [
  { key: "p50_ms", title: "p50 ms" },
  { key: "p99_ms", title: "p99 ms" },
  { key: "max_ms", title: "max ms" },
];
const correctness = [
  { key: "lost", title: "lost", isCount: true },
  { key: "doubled", title: "doubled", isCount: true },
];
const publishes = [
  { key: "publishes_per_second", title: "publishes/s" },
  { key: "cpu_us_per_publish", title: "CPU µs each" },
  ...latencies,
  ...correctness,
];
const deliveries = [
  { key: "deliveries_per_second", title: "deliveries/s" },
  { key: "cpu_us_per_delivery", title: "CPU µs each" },
  ...latencies,
  ...correctness,
];
const connects = [
  { key: "connects_per_second", title: "connects/s" },
  { key: "cpu_us_per_connect", title: "CPU µs each" },
];
const operations = [
  { key: "operations_per_second", title: "operations/s" },
  { key: "cpu_us_per_operation", title: "CPU µs each" },
  { key: "took_ms", title: "took ms" },
];

/** @param {number} count */
const names = (count) => Array.from({ length: count }, (_, number) => `group${number}`);

/** How much of some workloads a quick run does. */
const QUICK_PART = 4;
/**
 * @param {number} count
 * @param {boolean} isQuick
 */
const part = (count, isQuick) => (isQuick ? Math.ceil(count / QUICK_PART) : count);

/**
 * A plan, unless the contender lacks a place that it needs.
 * @param {unknown[]} places
 * @param {Plan} plan
 */
const unlessMissing = (places, plan) => (places.includes(undefined) ? undefined : plan);

/**
 * Messages to `members` in `groups` groups, published by a server (`rest`), by the first `member` of each group, or by
 * an `outsider`, so many of a publisher's on their way at once (`window`), or so many a second (`rate`).
 * @param {Described & {
 *   by: "rest" | "member" | "outsider", members: number, groups?: number, window: number, acks?: boolean, size?: number,
 *   rate?: number,
 * }} workload
 * @returns {Workload}
 */
function publish({ by, members, groups = 1, window, acks = false, size = SIZE, rate, ...workload }) {
  return {
    ...workload,
    plan(server, { hub }) {
      if (by !== "rest" && window > (server.mostAtOnce ?? Infinity)) return undefined;
      const all = names(groups);
      const clients = all.map((group) => server.member(hub, group));
      const outsiders = by === "outsider" ? [server.client(hub)] : [];
      const endpoints = by === "rest" ? all.map((group) => server.publish(hub, { group })) : [];
      const asked = acks && ["json", "reliable", "protobuf"].includes(server.dialect);
      const plan = {
        kind: "publish",
        by,
        members,
        groups: all,
        clients,
        outsider: outsiders[0],
        publish: endpoints,
        acks: asked,
        window,
        rate,
        size,
      };
      return unlessMissing([...clients, ...outsiders, ...endpoints], plan);
    },
  };
}

/**
 * Groups that so many clients join, or leave again, without waiting.
 * @param {Omit<Described, "scene" | "figures"> & { clients: number, groups: number, leave?: boolean }} workload
 * @returns {Workload}
 */
function membership({ clients, groups, leave = false, ...workload }) {
  return {
    ...workload,
    scene: "storms",
    figures: operations,
    plan(server, { hub, isQuick }) {
      const client = server.client(hub);
      return unlessMissing([client], { kind: "membership", client, clients, groups: part(groups, isQuick), leave });
    },
  };
}

/** Who is quiet beside a flood, by the prefixes of their figures. */
export const NEIGHBOURS = { same_hub: "this hub", other_hub: "another hub", rest: "REST" };

/**
 * A client that sends so many frames without waiting, beside quiet neighbours.
 * @param {Omit<Described, "scene" | "figures"> & { what: string, frames: number, dialects?: string[] }} workload
 * @returns {Workload}
 */
function flood({ what, frames, dialects, ...workload }) {
  const neighbours = Object.entries(NEIGHBOURS).flatMap(([key, who]) => [
    { key: `${key}_quiet_p50_ms`, title: `${who}, quiet: p50 ms` },
    { key: `${key}_quiet_p99_ms`, title: "p99 ms" },
    { key: `${key}_flooded_p50_ms`, title: "flooded: p50 ms" },
    { key: `${key}_flooded_p99_ms`, title: "p99 ms" },
    { key: `${key}_flooded_max_ms`, title: "max ms" },
  ]);
  const flooder = [
    { key: "took_ms", title: "flood took ms" },
    { key: "cpu_us_per_operation", title: "CPU µs each" },
    { key: "closed", title: "closed", isCount: true },
  ];
  return {
    ...workload,
    scene: "floods",
    figures: [...neighbours, ...flooder],
    plan(server, { hub, isQuick }) {
      const [client, other] = [server.client(hub), server.client(`${hub}_other`)];
      if (client === undefined || !(dialects?.includes(server.dialect) ?? true)) return undefined;
      return {
        kind: "flood",
        client,
        other,
        publish: server.publish(hub, { group: "quiet" }),
        what,
        frames: part(frames, isQuick),
        limit: 120,
      };
    },
  };
}

const CROWD = 10_000;
/** How many connections of a crowd are there before what others cost is measured. */
const FIRST = 100;
const FIRST_OF_IDLE = 1_000;

/**
 * Ten thousand connections: connecting, resting, and messages to all of them, to one user's, and to half of them by a
 * filter.
 * @type {Workload}
 */
const crowd = {
  name: "crowd",
  title: `${CROWD.toLocaleString("en-US")} connections, or what the bound on open files lets`,
  scene: "crowd",
  figures: [
    { key: "connections", title: "connections", isCount: true },
    ...connects,
    { key: "memory_kb_per_connection", title: "PSS KB each" },
    { key: "idle_cpu_percent", title: "idle CPU %" },
    { key: "cpu_us_per_ping", title: "a ping of each: CPU µs" },
    ...[
      ["all", "to all by REST"],
      ["user", "to one user's"],
      ["filter", "to half by a filter"],
    ].flatMap(([key, title]) => [
      { key: `${key}_deliveries_per_second`, title: `${title}: deliveries/s` },
      { key: `${key}_cpu_us_per_delivery`, title: "CPU µs each" },
      { key: `${key}_p50_ms`, title: "p50 ms" },
    ]),
    ...correctness,
  ],
  plan(server, { hub, isQuick }) {
    const client = (/** @type {{ groups?: string[] }} */ more = {}) =>
      server.member(hub, "all", { user: "everybody", ...more });
    const audiences = [
      { name: "all", endpoint: server.publish(hub, { group: "all" }), clients: [0, 1] },
      { name: "user", endpoint: server.publish(hub, { user: "everybody" }), clients: [0, 1] },
      { name: "filter", endpoint: server.publish(hub, { filter: "'half' in groups" }), clients: [0] },
    ];
    return {
      kind: "crowd",
      clients: [client({ groups: ["half"] }), client()],
      members: Math.min(part(CROWD, isQuick), possibleConnections()),
      first: FIRST,
      publish: audiences.filter(({ endpoint }) => endpoint !== undefined),
      size: SIZE,
    };
  },
};

/**
 * What each connection costs beyond the first thousand, all in one group.
 * @type {Workload}
 */
const idle = {
  name: "idle",
  title: `${CROWD.toLocaleString("en-US")} idle connections: what those beyond the ${FIRST_OF_IDLE.toLocaleString("en-US")}th cost`,
  scene: "idle",
  isQuick: false,
  figures: [
    { key: "connections", title: "connections", isCount: true },
    ...connects,
    { key: "memory_kb_per_connection", title: "PSS KB each" },
    { key: "idle_cpu_percent", title: "idle CPU %" },
  ],
  plan(server, { hub, isQuick }) {
    const members = Math.min(part(CROWD, isQuick), possibleConnections());
    const clients = [server.member(hub, "all")];
    return { kind: "crowd", clients, members, first: FIRST_OF_IDLE, publish: [], size: SIZE };
  },
};

/** @type {Workload[]} */
export const workloads = [
  publish({
    name: "one-socket",
    title: "messages over one socket: a client publishes to its own group, 64 on their way",
    scene: "pairs",
    by: "member",
    members: 1,
    window: 64,
    figures: publishes,
  }),
  publish({
    name: "one-socket-acks",
    title: "messages over one socket with acks, where there are any: to the client's own group, 64 on their way",
    scene: "pairs",
    by: "member",
    members: 1,
    window: 64,
    acks: true,
    figures: publishes,
    isQuick: false,
  }),
  publish({
    name: "socket-1",
    title: "one publisher to one subscriber by socket, 64 on their way",
    scene: "pairs",
    by: "outsider",
    members: 1,
    window: 64,
    figures: publishes,
  }),
  publish({
    name: "rest-1",
    title: "REST publishes to one subscriber, 16 at once",
    scene: "pairs",
    by: "rest",
    members: 1,
    window: 16,
    figures: publishes,
  }),
  publish({
    name: "rest-8",
    title: "REST publishes to one subscriber, 8 at once",
    scene: "pairs",
    by: "rest",
    members: 1,
    window: 8,
    figures: publishes,
    isQuick: false,
  }),
  publish({
    name: "rest-1-latency",
    title: "REST publishes to one subscriber, one at a time",
    scene: "pairs",
    by: "rest",
    members: 1,
    window: 1,
    figures: publishes,
  }),
  publish({
    name: "latency",
    title: "100 REST publishes a second to 10",
    scene: "pairs",
    by: "rest",
    members: 10,
    window: 16,
    rate: 100,
    figures: [...latencies, ...correctness],
    isQuick: false,
  }),
  publish({
    name: "size-16",
    title: "16 bytes, a client to 10, 16 on their way",
    scene: "pairs",
    by: "member",
    members: 10,
    window: 16,
    size: 16,
    figures: deliveries,
    isQuick: false,
  }),
  publish({
    name: "size-1k",
    title: "1 KB, a client to 10, 16 on their way",
    scene: "pairs",
    by: "member",
    members: 10,
    window: 16,
    size: 1024,
    figures: deliveries,
    isQuick: false,
  }),
  publish({
    name: "size-64k",
    title: "64 KB, a client to 10, 4 on their way",
    scene: "pairs",
    by: "member",
    members: 10,
    window: 4,
    size: 65_536,
    figures: deliveries,
    isQuick: false,
  }),
  publish({
    name: "rest-100",
    title: "REST publishes to 100, 8 at once",
    scene: "fan-out",
    by: "rest",
    members: 100,
    window: 8,
    figures: deliveries,
  }),
  publish({
    name: "rest-1000",
    title: "REST publishes to 1,000, 4 at once",
    scene: "fan-out",
    by: "rest",
    members: 1_000,
    window: 4,
    figures: deliveries,
    isQuick: false,
  }),
  publish({
    name: "client-200",
    title: "a client publishes to 200 with acks, 8 on their way",
    scene: "fan-out",
    by: "member",
    members: 200,
    window: 8,
    acks: true,
    figures: deliveries,
  }),
  publish({
    name: "client-100-plain",
    title: "a client publishes to 100 without acks, 8 on their way",
    scene: "fan-out",
    by: "member",
    members: 100,
    window: 8,
    figures: deliveries,
    isQuick: false,
  }),
  publish({
    name: "client-200-plain",
    title: "a client publishes to 200 without acks, 8 on their way",
    scene: "fan-out",
    by: "member",
    members: 200,
    window: 8,
    figures: deliveries,
    isQuick: false,
  }),
  publish({
    name: "groups-100",
    title: "100 groups of 10, a client publishes to each, 1 on its way",
    scene: "fan-out",
    by: "member",
    members: 1_000,
    groups: 100,
    window: 1,
    figures: deliveries,
    isQuick: false,
  }),
  crowd,
  idle,
  {
    name: "connects",
    title: "connections opened, 16 at once",
    scene: "connects",
    staysOpen: true,
    figures: [...connects, ...latencies],
    plan: (server, { hub }) => ({ kind: "connect", client: server.member(hub, "all"), at_once: 16 }),
  },
  membership({ name: "joins", title: "one client joins 2,000 groups", clients: 1, groups: 2_000 }),
  membership({
    name: "join-storm",
    title: "100 clients join 20 groups each",
    clients: 100,
    groups: 20,
    isQuick: false,
  }),
  membership({
    name: "leave-storm",
    title: "100 clients leave 20 groups each",
    clients: 100,
    groups: 20,
    leave: true,
    isQuick: false,
  }),
  {
    name: "events",
    title: "events through an event handler with acks, 16 clients with 1 each",
    scene: "more",
    isQuick: false,
    figures: [
      { key: "publishes_per_second", title: "events/s" },
      { key: "cpu_us_per_publish", title: "CPU µs each" },
      ...latencies,
    ],
    plan: (server) =>
      server.handler === undefined
        ? undefined
        : { kind: "events", client: server.client(HANDLED), clients: 16, handler: server.handler, size: SIZE },
  },
  {
    name: "replay",
    title: "10 clients come back to 1,000 messages each",
    scene: "more",
    isQuick: false,
    figures: [
      { key: "deliveries_per_second", title: "deliveries/s" },
      { key: "cpu_us_per_delivery", title: "CPU µs each" },
      { key: "took_ms", title: "took ms" },
      ...correctness,
    ],
    plan(server, { hub }) {
      if (server.dialect !== "reliable") return undefined;
      return {
        kind: "replay",
        client: server.member(hub, "all"),
        clients: 10,
        publish: server.publish(hub, { group: "all" }),
        messages: 1_000,
        size: SIZE,
      };
    },
  },
  flood({
    name: "flood-joins",
    title: "neighbours of a client that joins 10,000 groups",
    what: "joins",
    frames: 10_000,
  }),
  flood({
    name: "flood-reliable",
    title: "neighbours of a reliable client that sends 10,000 sendToGroup with ack",
    what: "publishes",
    frames: 10_000,
    dialects: ["reliable"],
  }),
  flood({
    name: "flood-plain",
    title: "neighbours of a client that sends 20,000 sendToGroup with ack",
    what: "publishes",
    frames: 20_000,
    dialects: ["json", "protobuf"],
  }),
  flood({
    name: "flood-events",
    title: "neighbours of a client that sends 20,000 events without a handler",
    what: "events",
    frames: 20_000,
    isQuick: false,
  }),
];
