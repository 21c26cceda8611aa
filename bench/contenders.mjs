// Who is measured: how each is started, and where clients and servers find it.
//
// A contender has a `name`, a `title`, what it is `made` of, and `start()`, which resolves with a running server: its
// `pid` and `address`, the `dialect` that it speaks, `stop()`, and where things are in it:
//
// - `member(hub, group, more)`: where a client connects that is in a group from the start; `more` are its `user` and
//   other `groups`, for those that know them;
// - `client(hub)`: where one connects that may join groups and publish to them;
// - `publish(hub, to)`: where a server publishes to `{ group }`, `{ user }` or those of a `{ filter }`;
// - `handler`: where the event handler of the hub `HANDLED` listens;
// - `mostAtOnce`: how many frames of a client may be on their way, where that is bounded.
//
// Each of these is `undefined` where the contender has nothing of the kind. One that is not `isPresent()` on this machine
// is left out; one that is not `isQuick` is left out of a quick run; one with `scenes` takes part in those.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../scripts/paths.mjs";
import { Ours } from "./contenders/ours.mjs";

/**
 * Where a client connects, and over MQTT the topic that it subscribes to.
 * @typedef {{ path: string, topic?: string }} ClientPlace
 *
 * Where a server publishes, and with which headers.
 * @typedef {{ path: string, headers?: string[][] }} PublishPlace
 *
 * Who a client is, for contenders that know users and several groups.
 * @typedef {{ user?: string, groups?: string[] }} Identity
 *
 * Whom a server publishes to.
 * @typedef {{ group?: string, user?: string, filter?: string }} Audience
 *
 * A server that runs.
 * @typedef {{
 *   pid: number | undefined, address: string, dialect: string, handler?: string, mostAtOnce?: number,
 *   member(hub: string, group: string, identity?: Identity): ClientPlace,
 *   client(hub: string, identity?: Identity): ClientPlace | undefined,
 *   publish(hub: string, audience: Audience): PublishPlace | undefined,
 *   stop(): Promise<void>,
 * }} RunningServer
 *
 * Who is measured, before it is started.
 * @typedef {{
 *   name: string, title: string, made: string[], isQuick?: boolean, scenes?: string[],
 *   isPresent(): boolean | Promise<boolean>, start(): Promise<RunningServer>,
 * }} Contender
 *
 * This service in one of its forms: with `shards`, from another `folder`, or with `options` of the native server.
 * @typedef {{
 *   name: string, title: string, dialect: string, isQuick?: boolean, scenes?: string[], folder?: string, shards?: number,
 *   options?: Record<string, string>,
 * }} Form
 *
 * @typedef {typeof import("./contenders/peers.mjs")} Peers
 *
 * Another server than this one.
 * @typedef {{
 *   name: string, title: string, made: string[], isQuick?: boolean, scenes?: string[],
 *   isPresent?(peers: Peers): boolean, make(peers: Peers): RunningServer & { start(): Promise<RunningServer> },
 * }} Peer
 */

/** @type {Form[]} */
const OURS = [
  { name: "json", title: "this service, JSON", dialect: "json" },
  { name: "reliable", title: "this service, reliable JSON", dialect: "reliable" },
  { name: "protobuf", title: "this service, protobuf", dialect: "protobuf", isQuick: false },
];

/** Where MQTT is beside others. */
const MQTT_SCENES = ["fan-out", "crowd"];
const MQTT = [
  { name: "mqtt", title: "this service, MQTT at QoS 0", dialect: "mqtt" },
  { name: "mqtt-qos1", title: "this service, MQTT at QoS 1", dialect: "mqtt-qos1" },
].map((one) => ({ ...one, scenes: MQTT_SCENES, isQuick: false }));

/** @param {Form} one */
const asNative = (one) => ({
  ...one,
  name: one.name === "json" ? "native" : `native-${one.name}`,
  title: one.title.replace("service", "native server"),
});
/** @type {Form[]} */
const NATIVE = [
  // On one thread, as peers are.
  ...OURS.map((one) => ({ ...asNative(one), options: { durability: "normal", threads: "1" } })),
  {
    name: "native-reliable-full",
    title: "this native server, reliable JSON, --durability full",
    dialect: "reliable",
    options: { durability: "full", threads: "1" },
    isQuick: false,
  },
  ...MQTT.map(asNative),
];

/** @type {Peer[]} */
const PEERS = [
  {
    name: "json-object",
    title: "the JSON subprotocol in a JavaScript object",
    made: ["workerd"],
    isQuick: false,
    make: ({ JsonObject }) => new JsonObject("json.js", "json"),
  },
  {
    name: "partyserver",
    title: "partyserver",
    made: ["workerd", "partyserver"],
    make: ({ Party }) => new Party("party.js", "raw"),
  },
  {
    name: "socket.io",
    title: "Socket.IO on Node",
    made: ["node", "socket.io"],
    isQuick: false,
    make: ({ SocketIo }) => new SocketIo("socket-io.mjs", "socket-io"),
  },
  { name: "ws", title: "ws on Node", made: ["node", "ws"], isQuick: false, make: ({ Ws }) => new Ws("ws.mjs", "raw") },
  {
    name: "bun",
    title: "Bun's own server",
    made: ["bun"],
    isQuick: false,
    isPresent: ({ hasBun }) => hasBun(),
    make: ({ OnBun }) => new OnBun("bun.mjs", "raw"),
  },
  {
    name: "nchan",
    title: "nchan on nginx",
    made: ["nginx"],
    isQuick: false,
    isPresent: ({ hasNchan }) => hasNchan(),
    make: ({ Nchan }) => new Nchan(),
  },
  ...MQTT.map(({ dialect, scenes }) => ({
    name: dialect.replace("mqtt", "mosquitto"),
    title: `Mosquitto at QoS ${dialect === "mqtt" ? 0 : 1}`,
    dialect,
    scenes,
    made: [],
    isQuick: false,
    isPresent: (/** @type {Peers} */ { hasMosquitto }) => hasMosquitto(),
    make: (/** @type {Peers} */ { Mosquitto }) => new Mosquitto(dialect),
  })),
];

/** Where the number of shards matters. */
const SHARDED = ["fan-out", "crowd"];

/** The one that others are compared with. */
export const YARDSTICK = "bare";

/**
 * Everybody who can be measured; with a `baseline`, another checkout of this project, its service too.
 * @param {{ baseline?: string }} options
 * @returns {Contender[]}
 */
export function contenders({ baseline } = {}) {
  const before =
    baseline === undefined
      ? []
      : OURS.map((one) => ({ ...one, name: `${one.name}-before`, title: `${one.title}, before`, folder: baseline }));
  const four = OURS.map((one) => ({
    ...one,
    name: `${one.name}-4`,
    title: `${one.title}, 4 shards`,
    shards: 4,
    scenes: SHARDED,
    isQuick: false,
  }));
  return [
    peer({
      name: YARDSTICK,
      title: "a bare Durable Object",
      made: ["workerd"],
      make: ({ Bare }) => new Bare("bare.js", "raw"),
    }),
    ...[...OURS, ...MQTT, ...before, ...four].map(ours),
    ...NATIVE.map(native),
    ...PEERS.map(peer),
  ];
}

/** The set-up comes first: only then is there everything that starts them. */
const peers = () => import("./contenders/peers.mjs");

/**
 * @param {Peer} contender
 * @returns {Contender}
 */
function peer({ make, isPresent = () => true, ...rest }) {
  return { ...rest, isPresent: async () => isPresent(await peers()), start: async () => make(await peers()).start() };
}

/**
 * @param {Form} contender
 * @returns {Contender}
 */
function ours({ folder = root, dialect, shards, ...rest }) {
  const start = async () => {
    const { startWorkerd } = await import(pathToFileURL(join(folder, "scripts", "service", "workerd.mjs")).href);
    return new Ours(startWorkerd, { dialect, shards }).start();
  };
  return { ...rest, made: ["workerd"], isPresent: () => true, start };
}

/**
 * The build of the native server, once it has begun.
 * @type {Promise<void> | undefined}
 */
let built;

/**
 * @param {Form} contender
 * @returns {Contender}
 */
function native({ dialect, options, ...rest }) {
  const start = async () => {
    const { buildServer, startServer } = await import("../scripts/service/native.mjs");
    await (built ??= buildServer());
    return new Ours(startServer, { dialect, options }).start();
  };
  return { ...rest, made: [], isPresent: () => true, start };
}
