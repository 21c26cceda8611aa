// `npm run soak`: the native server for minutes at half of what it carries, and whether it stays as it was.
import { Ours } from "../bench/contenders/ours.mjs";
import { buildGenerator } from "../bench/generator.mjs";
import { lines, problems, soak } from "../bench/soak.mjs";
import { parse } from "./command.mjs";
import { oneOf, whole } from "./options.mjs";
import { exitOnSignals } from "./processes.mjs";
import { buildServer, startServer } from "./service/native.mjs";
import { setUp } from "./setup.mjs";
import { Problem, main, say, step } from "./terminal.mjs";

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run soak",
  about:
    "Has reliable clients publish to the native server for minutes, at half of the rate that it carries on this machine, and\nchecks that nothing is lost and that its memory stays what it was.",
  flags: {
    seconds: { type: "string", default: "600", value: "N", about: "How long." },
    durability: { type: "string", default: "full", value: "WHAT", about: "full, normal or memory." },
  },
  examples: [
    ["npm run soak", "ten minutes"],
    ["npm run soak -- --seconds 30 --durability normal", "a short one"],
  ],
};

exitOnSignals();
await main(async () => {
  const values = parse(process.argv.slice(2), command);
  const seconds = whole("--seconds", values.seconds, 5, 1_000_000);
  const durability = oneOf("--durability", values.durability, ["full", "normal", "memory"]);
  await setUp("quick");
  await buildServer();
  const generator = await buildGenerator();
  /** @type {import("./service.mjs").Launch} */
  const launch = (options, ...rest) => startServer({ ...options, durability }, ...rest);
  const server = await new Ours(launch, { dialect: "reliable" }).start();
  try {
    const outcome = await step(`${seconds} s`, (at) => soak(generator, server, seconds, at));
    for (const line of lines(outcome)) say(line);
    const { figures, rate } = outcome;
    const isSlow = figures.publishes_per_second < 0.9 * rate;
    const wrong = [...problems(outcome), ...(isSlow ? ["the rate was not kept"] : [])];
    if (wrong.length > 0) throw new Problem(`Not as it should be: ${wrong.join("; ")}.`);
  } finally {
    await server.stop();
  }
});
process.exit();
