// Who is measured: how each is started, and where clients and servers find it.
//
// A contender has a `name`, a `title`, and `start()`, which resolves with a running server: its `pid` and `address`, the
// `dialect` that it speaks, `stop()`, and where things are in it:
//
// - `member(hub, group)`: where a client connects that is in a group from the start;
// - `client(hub)`: where one connects that may join groups and publish to them;
// - `publish(hub, to)`: where a server publishes, to `{}` for everybody, or `{ group }`, `{ user }`, `{ filter }`.
//
// Each of the last two is `undefined` where the contender has nothing of the kind; so is `member` where it has no groups.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../scripts/paths.mjs";
import { Bare } from "./contenders/bare.mjs";
import { Ours } from "./contenders/ours.mjs";

/** Everybody who can be measured; with a `baseline`, another checkout of this project, its service too. */
export async function contenders({ baseline } = {}) {
  const ours = [
    { name: "json", title: "this service, JSON", dialect: "json" },
    { name: "reliable", title: "this service, reliable JSON", dialect: "reliable" },
    { name: "protobuf", title: "this service, protobuf", dialect: "protobuf", isQuick: false },
  ];
  const four = ours.map((one) => ({ ...one, name: `${one.name}-4`, title: `${one.title}, 4 shards`, shards: 4, isQuick: false }));
  const before = baseline === undefined ? [] : ours.map((one) => ({ ...one, name: `${one.name}-before`, title: `${one.title}, before`, root: baseline }));
  const start = async ({ root: folder = root, ...options }) => {
    const { startWorkerd } = await import(pathToFileURL(join(folder, "scripts", "service", "workerd.mjs")));
    return new Ours(startWorkerd, options).start();
  };
  return [
    { name: "bare", title: "a bare Durable Object", start: () => new Bare().start() },
    ...[...ours, ...before, ...four].map((one) => ({ ...one, start: () => start(one) })),
  ];
}
