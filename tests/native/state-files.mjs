// The files in which the native server keeps a hub.
import { readdirSync } from "node:fs";
import path from "node:path";

/** The database of a hub's first shard. */
export const shardFile = (service, hub) => fileOf(service, `${hub.name}-0`);

/** The database of a hub's directory. */
export const directoryFile = (service, hub) => fileOf(service, hub.name);

/** The file of an object, whose name begins so, before a hash. */
function fileOf(service, shown) {
  const folder = path.join(service.state, "native");
  const names = readdirSync(folder).filter((file) => file.endsWith(".sqlite"));
  const name = names.find((file) => file.replace(/-[0-9a-f]{24}\.sqlite$/, "") === shown);
  if (!name) throw new Error(`${folder} has no file of ${shown}`);
  return path.join(folder, name);
}

/** What the service has logged about a file, in the order in which it was. */
export function loggedAbout(service, file) {
  const lines = service.output.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line)).filter((entry) => entry.file === file);
}
