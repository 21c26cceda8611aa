// `npm run broadcast`: a message to everybody, of very many connections, beside a bare JavaScript Durable Object.
import { build } from "./build.mjs";
import { parse } from "./command.mjs";
import { checkOpenFiles } from "./open-files.mjs";
import { whole } from "./options.mjs";
import { exitOnSignals } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { main, say, step } from "./terminal.mjs";

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run broadcast",
  about:
    "Sends messages to very many connections of one hub, beside a bare JavaScript Durable Object that does the same.",
  flags: {
    connections: { type: "string", default: "10000", value: "N", about: "How many connections." },
    shards: { type: "string", default: "1", value: "N", about: "How many Durable Objects the hub is spread over." },
  },
  examples: [
    ["npm run broadcast", "10,000 connections on one shard"],
    ["npm run broadcast -- --connections 2000 --shards 4", "fewer, on four"],
  ],
};

exitOnSignals();
await main(async () => {
  const values = parse(process.argv.slice(2), command);
  const connections = whole("--connections", values.connections, 1, 1_000_000);
  const shards = whole("--shards", values.shards, 1, 65_535);
  checkOpenFiles(connections);
  await setUp("build");
  await build();
  const [{ Service }, { describeBroadcasts, measureBroadcasts }, { JSON_V1, RELIABLE_V1 }] = await Promise.all(
    ["service", "broadcast", "socket"].map((name) => import(`../tests/support/${name}.mjs`)),
  );
  const service = new Service({ shards });
  try {
    await service.start();
    const title = `${connections} connections, ${shards} shard${shards === 1 ? "" : "s"}`;
    const results = await step(title, () => measureBroadcasts(service, connections, [JSON_V1, RELIABLE_V1]));
    for (const line of describeBroadcasts(results)) say(line);
  } finally {
    await service.stop();
  }
});
process.exit();
