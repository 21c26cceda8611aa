// What the PINGREQ of an idle MQTT client costs a shard that sleeps, which it wakes: see `--help`.
//
// One client of each hub pings after all have been idle, and at once a second time: what the first ping takes above the
// second is the waking. The shard of each hub has so many clients. Prints workerd's CPU time for each ping. Linux only.
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as pass } from "node:timers/promises";
import { parse } from "../scripts/command.mjs";
import { whole } from "../scripts/options.mjs";
import { exitOnSignals } from "../scripts/processes.mjs";
import { main, say } from "../scripts/terminal.mjs";
import { MqttSocket, PINGREQ, PINGRESP, subscribe } from "../tests/support/mqtt.mjs";
import { Service } from "../tests/support/service.mjs";
import { median } from "./statistics.mjs";

/** @satisfies {import("../scripts/command.mjs").Command} */
const command = {
  name: "node bench/wake.mjs",
  about:
    "Measures workerd's CPU for a PINGREQ of an idle MQTT client: of one whose shard sleeps, and of one whose shard is awake.",
  flags: {},
  rest: "[CLIENTS [HUBS [ROUNDS [IDLE_SECONDS]]]]",
  examples: [
    ["node bench/wake.mjs", "100 hubs of one client, 5 rounds after 20 s each"],
    ["node bench/wake.mjs 10 40 3 20", "40 hubs of ten clients, 3 rounds"],
  ],
};
const MAX_NUMBER = 100_000;
/** In seconds: the longest, so that nothing but this program pings. */
const KEEP_ALIVE = 180;
/** In which a shard has done all that follows from a ping, its alarm among it. */
const SETTLED_MS = 500;

/** The CPU time that all threads of a process have taken, in µs. */
function cpu(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return times.reduce((sum, nanoseconds) => sum + Number(nanoseconds), 0) / 1000;
}

async function connectAll(hub, clients) {
  const sockets = [];
  for (let number = 0; number < clients; number++) {
    const options = { version: 4, id: `device${number}`, keepAlive: KEEP_ALIVE, roles: ["webpubsub.joinLeaveGroup"] };
    const socket = await MqttSocket.connect(hub, options);
    socket.send(subscribe(4, 1, ["commands", 0]));
    await socket.next();
    sockets.push(socket);
  }
  return sockets;
}

/** The CPU time of a ping of each socket, one after the other, in µs a ping. */
async function ping(pid, sockets) {
  const before = cpu(pid);
  for (const socket of sockets) {
    socket.send(PINGREQ);
    await socket.expect(PINGRESP);
  }
  await pass(SETTLED_MS);
  return (cpu(pid) - before) / sockets.length;
}

/**
 * @param {Service} service
 * @param {number[]} given
 */
async function measure(service, [clients = 1, hubs = 100, rounds = 5, idleSeconds = 20]) {
  const pinging = [];
  for (let number = 0; number < hubs; number++) pinging.push((await connectAll(service.newHub(), clients))[0]);
  /** @type {number[]} */
  const asleep = [];
  /** @type {number[]} */
  const awake = [];
  for (let round = 0; round < rounds; round++) {
    await pass(idleSeconds * 1000);
    asleep.push(await ping(service.pid, pinging));
    awake.push(await ping(service.pid, pinging));
  }
  const text = (numbers) =>
    `${median(numbers)?.toFixed(0)} µs (${numbers.map((number) => number.toFixed(0)).join(", ")})`;
  say(`${hubs} hubs of ${clients}, ${rounds} rounds after ${idleSeconds} s: a ping takes ${text(asleep)}`);
  say(`the next one, of a shard that is awake, ${text(awake)}`);
}

exitOnSignals();
await main(async () => {
  const { rest } = parse(process.argv.slice(2), command);
  const numbers = rest.map((text) => whole("Each number", text, 1, MAX_NUMBER));
  const service = new Service({ runner: "serve", variables: { CLIENT_MESSAGES_PER_SECOND: 0 } });
  try {
    await measure(await service.start(), numbers);
  } finally {
    await service.stop();
  }
});
process.exit();
