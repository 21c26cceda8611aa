// `npm run chaos`: reliable delivery on the real thing, through kills, cuts and silences.
//
// The seed decides what happens and in which order, not to the millisecond when: a replay is the same in kind.
import { randomInt } from "node:crypto";
import { build } from "./build.mjs";
import { parse, whole } from "./options.mjs";
import { exitOnSignals } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { Problem, main, say, step } from "./terminal.mjs";

const COMMAND = "npm run chaos";
const SILENCES = 3;
const REPORT_EVERY_MS = 1_000;
const MAX_SHOWN = 20;

const flags = {
  kills: { type: "string", default: "20" },
  cuts: { type: "string", default: "50" },
  messages: { type: "string", default: "10000" },
  shards: { type: "string", default: "1" },
  seed: { type: "string", default: String(randomInt(2 ** 31)) },
};

exitOnSignals();
await main(async () => {
  const values = parse(process.argv.slice(2), flags, COMMAND);
  const number = (flag, least, most) => whole(`--${flag}`, values[flag], least, most);
  const [kills, cuts, messages] = [number("kills", 0, 10_000), number("cuts", 0, 10_000), number("messages", 1, 10_000_000)];
  const [shards, seed] = [number("shards", 1, 65_535), number("seed", 0, 2 ** 31 - 1)];
  await setUp("build");
  await build();
  const [{ Service }, { Chaos }] = await Promise.all([import("../tests/support/service.mjs"), import("../tests/chaos/run.mjs")]);

  const service = new Service({ shards });
  try {
    await service.start();
    const chaos = new Chaos(service, { seed, messages, kills, cuts, silences: SILENCES });
    await step(`Seed ${seed}, ${shards} shard${shards === 1 ? "" : "s"}`, async (at) => {
      const timer = setInterval(() => at(chaos.progress()), REPORT_EVERY_MS);
      await chaos.run().finally(() => clearInterval(timer));
    });
    for (const line of chaos.figures()) say(line);
    if (!chaos.isBroken) return;
    const again = Object.keys(flags).map((flag) => ` --${flag} ${flag === "seed" ? seed : values[flag]}`).join("");
    throw new Problem(`\n${chaos.violations.slice(0, MAX_SHOWN).join("\n")}\n\nAgain: ${COMMAND} --${again}`);
  } finally {
    await service.stop();
  }
});
process.exit();
