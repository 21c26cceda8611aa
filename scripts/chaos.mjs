// `npm run chaos`: reliable delivery on the real thing, through kills, cuts and silences.
//
// The seed decides what happens and in which order, not to the millisecond when: a replay is the same in kind.
import { randomInt } from "node:crypto";
import { build } from "./build.mjs";
import { parse } from "./command.mjs";
import { oneOf, whole } from "./options.mjs";
import { exitOnSignals } from "./processes.mjs";
import { buildServer } from "./service/native.mjs";
import { setUp } from "./setup.mjs";
import { Problem, main, say, step } from "./terminal.mjs";

const SILENCES = 3;
const REPORT_EVERY_MS = 1_000;
const MAX_SHOWN = 20;

/** @satisfies {import("./command.mjs").Flags} */
const flags = {
  kills: { type: "string", default: "20", value: "N", about: "How often the process is killed." },
  cuts: { type: "string", default: "50", value: "N", about: "How many connections are cut." },
  messages: { type: "string", default: "10000", value: "N", about: "How many messages are published." },
  shards: { type: "string", default: "1", value: "N", about: "How many shards the hub is spread over." },
  host: { type: "string", default: "workerd", value: "HOST", about: "Of the service: workerd, or native." },
  durability: {
    type: "string",
    default: "full",
    value: "WHAT",
    about: "Of the native server: full, or normal.",
  },
  seed: { type: "string", value: "N", about: "What happens, and in which order; a random one if it is left out." },
};

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run chaos",
  about:
    "Publishes messages to reliable clients while it kills the process and cuts connections, and checks that each client was\ngiven everything, once and in order.",
  flags,
  examples: [
    ["npm run chaos", "the long form"],
    ["npm run chaos -- --kills 2 --cuts 5 --messages 500 --seed 7", "a short one, the same each time"],
    ["npm run chaos -- --host native --durability normal", "the native server"],
  ],
};

exitOnSignals();
await main(async () => {
  const given = parse(process.argv.slice(2), command);
  const values = { ...given, seed: given.seed ?? String(randomInt(2 ** 31)) };
  /**
   * @param {keyof typeof flags} flag
   * @param {number} least
   * @param {number} most
   */
  const number = (flag, least, most) => whole(`--${flag}`, values[flag], least, most);
  const [kills, cuts, messages] = [
    number("kills", 0, 10_000),
    number("cuts", 0, 10_000),
    number("messages", 1, 10_000_000),
  ];
  const [shards, seed] = [number("shards", 1, 65_535), number("seed", 0, 2 ** 31 - 1)];
  const host = oneOf("--host", values.host, ["workerd", "native"]);
  const durability = oneOf("--durability", values.durability, ["full", "normal"]);
  await setUp("build");
  await build();
  if (host === "native") await buildServer();
  const [{ Service }, { Chaos }] = await Promise.all([
    import("../tests/support/service.mjs"),
    import("../tests/chaos/run.mjs"),
  ]);

  const native = { runner: "server", options: ["--durability", durability] };
  const service = new Service({ shards, ...(host === "native" && native) });
  try {
    await service.start();
    const chaos = new Chaos(service, { seed, messages, kills, cuts, silences: SILENCES });
    await step(`Seed ${seed}, ${shards} shard${shards === 1 ? "" : "s"}`, async (at) => {
      const timer = setInterval(() => at(chaos.progress()), REPORT_EVERY_MS);
      await chaos.run().finally(() => clearInterval(timer));
    });
    for (const line of chaos.figures()) say(line);
    if (!chaos.isBroken) return;
    const again = /** @type {(keyof typeof flags)[]} */ (Object.keys(flags))
      .map((flag) => ` --${flag} ${flag === "seed" ? seed : values[flag]}`)
      .join("");
    throw new Problem(`\n${chaos.violations.slice(0, MAX_SHOWN).join("\n")}\n\nAgain: ${command.name} --${again}`);
  } finally {
    await service.stop();
  }
});
process.exit();
