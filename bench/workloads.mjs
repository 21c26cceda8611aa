// What is measured.
//
// A workload has a `name`, a `title`, the `scene` in which it runs (a contender is started once a run for all workloads
// of a scene), `figures`, and `plan(server, options)`, which says what the load generator does (see
// `bench/load/src/plan.rs`), or `undefined` where the contender cannot do it. `options` are its `hub`, which no other
// workload uses, and whether the run `isQuick`.

/** How many bytes a payload has where nothing else is said. */
const SIZE = 64;

/** How messages are measured; `each` is what CPU time is divided by. */
const rates = (each) => [
  { key: `${each === "delivery" ? "deliveries" : "publishes"}_per_second`, title: `${each === "delivery" ? "deliveries" : "messages"}/s`, better: "more" },
  { key: `cpu_us_per_${each}`, title: "CPU µs each", better: "less" },
  { key: "p50_ms", title: "p50 ms", better: "less" },
  { key: "p99_ms", title: "p99 ms", better: "less" },
  { key: "max_ms", title: "max ms", better: "less" },
  ...CORRECT,
];
const CORRECT = [
  { key: "lost", title: "lost", isCount: true },
  { key: "doubled", title: "doubled", isCount: true },
];
const latencies = [...["p50_ms", "p99_ms", "max_ms"].map((key) => ({ key, title: key.replace("_", " "), better: "less" })), ...CORRECT];

const names = (count) => Array.from({ length: count }, (_, number) => `group${number}`);

/** Messages to `members` in `groups` groups, so many of a publisher's on their way at once. */
function publish({ by, members, groups = 1, window, acks = false, size = SIZE, rate, figures, isPossible = () => true, ...workload }) {
  return {
    ...workload,
    figures,
    plan(server, { hub }) {
      const all = names(groups);
      const clients = all.map((group) => server.member(hub, group));
      const outsider = by === "outsider" ? server.client(hub) : undefined;
      const endpoints = by === "rest" ? all.map((group) => server.publish(hub, { group })) : [];
      const missing = [...clients, ...endpoints, ...(by === "outsider" ? [outsider] : [])].includes(undefined);
      if (missing || !isPossible(server)) return undefined;
      return { kind: "publish", by, members, groups: all, clients, outsider, publish: endpoints, acks: acks && server.dialect !== "raw", window, rate, size };
    },
  };
}

function flood({ what, frames, ...workload }) {
  const prefixes = { same_hub: "same hub", other_hub: "other hub", rest: "REST" };
  const figures = Object.entries(prefixes).flatMap(([key, who]) => [
    { key: `${key}_quiet_p50_ms`, title: `${who}, quiet: p50 ms`, better: "less" },
    { key: `${key}_quiet_p99_ms`, title: "p99 ms", better: "less" },
    { key: `${key}_flooded_p50_ms`, title: "flooded: p50 ms", better: "less" },
    { key: `${key}_flooded_p99_ms`, title: "p99 ms", better: "less" },
    { key: `${key}_flooded_max_ms`, title: "max ms", better: "less" },
  ]);
  return {
    ...workload,
    scene: "floods",
    figures: [...figures, { key: "took_ms", title: "flood took ms", better: "less" }, { key: "closed", title: "closed", isCount: true }],
    plan(server, { hub }) {
      const [client, other] = [server.client(hub), server.client(`${hub}_other`)];
      if (client === undefined) return undefined;
      return { kind: "flood", client, other, publish: server.publish(hub, { group: "quiet" }), what, frames, limit: 120 };
    },
  };
}

function membership({ clients, groups, leave = false, ...workload }) {
  return {
    ...workload,
    scene: "storms",
    figures: [
      { key: "operations_per_second", title: "operations/s", better: "more" },
      { key: "cpu_us_per_operation", title: "CPU µs each", better: "less" },
      { key: "took_ms", title: "took ms", better: "less" },
    ],
    plan(server, { hub }) {
      const client = server.client(hub);
      return client && { kind: "membership", client, clients, groups, leave };
    },
  };
}

export const workloads = [
  publish({ name: "one-socket", title: "messages over one socket: a client publishes to its own group, 64 on their way", scene: "pairs", by: "member", members: 1, window: 64, figures: rates("publish") }),
  publish({ name: "socket-1", title: "one publisher to one subscriber, by socket, 64 on their way", scene: "pairs", by: "outsider", members: 1, window: 64, figures: rates("publish") }),
  publish({ name: "rest-1", title: "REST publishes to one subscriber, 16 at once", scene: "pairs", by: "rest", members: 1, window: 16, figures: rates("publish") }),
  publish({ name: "rest-1-latency", title: "REST publishes to one subscriber, one at a time", scene: "pairs", by: "rest", members: 1, window: 1, figures: latencies }),
  publish({ name: "rest-100", title: "REST publishes to 100", scene: "fan-out", by: "rest", members: 100, window: 8, figures: rates("delivery") }),
  publish({ name: "rest-1000", title: "REST publishes to 1,000", scene: "fan-out", by: "rest", members: 1_000, window: 4, figures: rates("delivery") }),
  publish({ name: "client-200", title: "a client publishes to 200, with acks", scene: "fan-out", by: "member", members: 200, window: 8, acks: true, figures: rates("delivery") }),
  publish({ name: "client-200-plain", title: "a client publishes to 200, without acks", scene: "fan-out", by: "member", members: 200, window: 8, figures: rates("delivery") }),
  membership({ name: "joins", title: "one client joins 2,000 groups", clients: 1, groups: 2_000 }),
  {
    name: "connects", title: "connections opened, 16 at once", scene: "connects",
    figures: [
      { key: "connects_per_second", title: "connects/s", better: "more" },
      { key: "cpu_us_per_connect", title: "CPU µs each", better: "less" },
      { key: "p50_ms", title: "p50 ms", better: "less" },
      { key: "p99_ms", title: "p99 ms", better: "less" },
    ],
    plan: (server, { hub }) => ({ kind: "connect", client: server.member(hub, "all"), at_once: 16 }),
  },
  flood({ name: "flood-joins", title: "quiet neighbours of 10,000 joins of distinct groups", what: "joins", frames: 10_000 }),
  flood({ name: "flood-reliable", title: "quiet neighbours of 10,000 sendToGroup with ack", what: "publishes", frames: 10_000 }),
  flood({ name: "flood-plain", title: "quiet neighbours of 20,000 sendToGroup with ack", what: "publishes", frames: 20_000 }),
  flood({ name: "flood-events", title: "quiet neighbours of 20,000 events, without a handler", what: "events", frames: 20_000 }),
];
