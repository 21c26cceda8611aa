// Very many idle connections of the native server, and a message to all of them: see `--help`.
//
// A process may have only so many open files, and a connection is one of the server's and one of the load generator's. So
// there are several servers, each with a generator of its own, all at once. Linux only.
import { parse } from "../scripts/command.mjs";
import { whole } from "../scripts/options.mjs";
import { exitOnSignals } from "../scripts/processes.mjs";
import { main, say, step } from "../scripts/terminal.mjs";
import { contenders } from "./contenders.mjs";
import { buildGenerator } from "./generator.mjs";
import { generate } from "./runner.mjs";
import { median } from "./statistics.mjs";

/** @satisfies {import("../scripts/command.mjs").Command} */
const command = {
  name: "node bench/hold.mjs",
  about: "Holds idle connections on several native servers at once, and publishes to all of them over REST.",
  flags: {},
  rest: "[SERVERS [CONNECTIONS_OF_EACH]]",
  examples: [
    ["node bench/hold.mjs", "7 servers of 14,300 connections"],
    ["node bench/hold.mjs 2 5000", "2 of 5,000"],
  ],
};
const HUB = "crowd";
const GROUP = "all";
const BYTES = 64;
/** The first of a server's connections, which its memory of the others does not count. */
const FIRST = 1_000;
const SECONDS = { measured: 3, warmUp: 0.5 };

exitOnSignals();
await main(async () => {
  const { rest = [] } = parse(process.argv.slice(2), command);
  const [servers = 7, each = 14_300] = rest.map((given, at) =>
    whole(["SERVERS", "CONNECTIONS_OF_EACH"][at], given, 1, 100_000),
  );
  const generator = await buildGenerator();
  const [native] = contenders().filter(({ name }) => name === "native");
  /** @type {import("./contenders.mjs").RunningServer[]} */
  const running = [];
  try {
    while (running.length < servers) running.push(await native.start());
    const figures = await step(`${(servers * each).toLocaleString("en-US")} connections`, () =>
      Promise.all(
        running.map((server) => {
          const endpoint = server.publish(HUB, { group: GROUP });
          const plan = {
            kind: "crowd",
            clients: [server.member(HUB, GROUP)],
            members: each,
            first: Math.min(FIRST, each),
            publish: [{ name: "all", endpoint, clients: [0] }],
            size: BYTES,
          };
          return generate(generator, server, plan, SECONDS);
        }),
      ),
    );
    const of = (/** @type {string} */ key) => figures.map((its) => Number(its[key]));
    const sum = (/** @type {string} */ key) => of(key).reduce((all, one) => all + one, 0);
    say(`connections      ${sum("connections").toLocaleString("en-US")} on ${servers} servers at once`);
    say(`PSS each         ${median(of("memory_kb_per_connection"))?.toFixed(2)} KB`);
    say(`idle CPU         ${sum("idle_cpu_percent").toFixed(1)} % of one core, all servers together`);
    say(`publish to all   p50 ${Math.max(...of("all_p50_ms")).toFixed(0)} ms, of the slowest server`);
    say(`lost, doubled    ${sum("lost")}, ${sum("doubled")}`);
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
});
process.exit();
