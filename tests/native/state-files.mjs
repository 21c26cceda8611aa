// The files in which the native server keeps a hub.
import { readdirSync } from "node:fs";
import path from "node:path";

/** The database of a hub's first shard. */
export function shardFile(service, hub) {
  const folder = path.join(service.state, "native");
  const name = readdirSync(folder).find((file) => file.startsWith(`${hub.name}-0-`) && file.endsWith(".sqlite"));
  if (!name) throw new Error(`${folder} has no shard of ${hub.name}`);
  return path.join(folder, name);
}

/** What the service has logged about a file, in the order in which it was. */
export function loggedAbout(service, file) {
  const lines = service.output.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line)).filter((entry) => entry.file === file);
}
