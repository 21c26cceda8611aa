// How long a message to everybody takes, of the service and of a bare object beside it.
import { Bare } from "./bare.mjs";
import { Crowd } from "./crowd.mjs";
import { JSON_V1, RELIABLE_V1 } from "./socket.mjs";

const ROUNDS = 5;

/**
 * @import { Service } from "./service.mjs"
 */

/**
 * How long it took to connect everybody, and each message, in milliseconds.
 * @typedef {{ name: string, connecting: number, rounds: number[] }} Broadcasts
 *
 * The frame that everybody receives in round `n`.
 * @typedef {(n: number) => string} Expected
 */

/** @param {number} n */
const frame = (n, more = "") => `{"type":"message","from":"server","dataType":"text","data":"round ${n}"${more}}`;

/** @type {Record<string, [name: string, expected: Expected]>} */
const KINDS = {
  [JSON_V1]: ["the service", frame],
  [RELIABLE_V1]: ["the service, to reliable clients", (n) => frame(n, `,"sequenceId":${n}`)],
};

/**
 * Sends some messages to all: so many connections to the bare object, then so many of each protocol to a hub of
 * the service.
 * @param {Service} service
 * @param {number} count
 * @param {string[]} protocols
 */
export async function measureBroadcasts(service, count, protocols) {
  const bare = await new Bare().start();
  /** @type {Broadcasts[]} */
  const results = [];
  try {
    results.push(
      await measure(
        "a bare object",
        () => Crowd.connect(count, () => bare.url),
        frame,
        (n) => bare.send(frame(n)),
      ),
    );
  } finally {
    await bare.stop();
  }
  for (const protocol of protocols) {
    const [name, expected] = KINDS[protocol];
    const hub = service.newHub();
    const url = hub.clientUrl();
    const connect = () => Crowd.connect(count, () => url, { protocol, greeted: true });
    results.push(await measure(name, connect, expected, (n) => hub.send("", `round ${n}`)));
  }
  return results;
}

/**
 * @param {string} name
 * @param {() => Promise<Crowd>} connect
 * @param {Expected} expected
 * @param {(n: number) => unknown} send
 */
async function measure(name, connect, expected, send) {
  const started = performance.now();
  const crowd = await connect();
  const connecting = performance.now() - started;
  const rounds = [];
  for (let n = 1; n <= ROUNDS; n++) rounds.push(await crowd.receive(expected(n), () => send(n)));
  crowd.leave();
  return { name, connecting, rounds };
}

/**
 * A line for each; the bare object's is the first.
 * @param {Broadcasts[]} results
 */
export function describeBroadcasts([bare, ...others]) {
  const median = (/** @type {Broadcasts} */ { rounds }) =>
    rounds.toSorted((a, b) => a - b)[Math.floor(rounds.length / 2)];
  const line = (/** @type {Broadcasts} */ one) =>
    `${one.name}: connected in ${(one.connecting / 1_000).toFixed(1)} s, delivered in ${Math.round(median(one))} ms`;
  return [
    line(bare),
    ...others.map((one) => `${line(one)}, ${(median(bare) / median(one)).toFixed(2)} of the bare object's rate`),
  ];
}
