// Which service runs on a state folder: one, and where it is reached.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../lock.mjs";
import { services as ports } from "../paths.mjs";
import { ask, readIfThere } from "../processes.mjs";
import { UsageProblem } from "../terminal.mjs";
import { privateFolder, writePrivate } from "./folder.mjs";

const fileIn = (state) => join(state, "service.json");

/**
 * The service that runs on a state folder, if one does: its `command`, its process's id as `pid`, and once it answers its
 * `endpoint`, its `secure` one and the `authority` that signed its certificate, where it has them.
 */
export function runningService(state) {
  const record = parsed(readIfThere(fileIn(state)));
  const isRunning = ({ pid, started }) => started !== undefined && startOf(pid) === started;
  const alive = record?.processes?.find(isRunning);
  return alive && { ...record, pid: alive.pid };
}

/** The service of this project that runs at a port of its own, whatever its state folder. */
export function serviceAt(port) {
  const state = readIfThere(join(ports, String(port)));
  return state ? runningService(state) : undefined;
}

/** Fails where another service runs on the folder. */
export function checkUnused(state) {
  const other = runningService(state);
  if (!other) return;
  const where = other.endpoint ? ` at ${other.endpoint}` : "";
  throw new UsageProblem(
    `${other.command} (process ${other.pid}${where}) runs on the state folder ${state}. End it first, or take another folder: --state DIR.`,
  );
}

/** Makes the state folder, if it is not there, this process's: of two that want it at once one gets it. */
export async function claim(state, command) {
  privateFolder(state, { ours: false });
  await withLock(join(state, "start.lock"), "start on this state folder", () => {
    checkUnused(state);
    record(state, [], { command });
  });
}

/** Says that this process, and the programs with these ids, run on the folder, and at which ports; `facts` is what clients need. */
export function record(state, pids, facts) {
  const processes = [process.pid, ...pids].map((pid) => ({ pid, started: startOf(pid) }));
  writePrivate(fileIn(state), `${JSON.stringify({ ...facts, processes }, null, 2)}\n`);
  privateFolder(ports);
  for (const name of readdirSync(ports).filter(isLeftOver)) rmSync(join(ports, name), { force: true });
  for (const url of [facts.endpoint, facts.secure]) if (url) writePrivate(join(ports, portOf(url)), state);
}

/** Whether a port's file names a folder that is gone, or a file on its way there has lost the process that writes it. */
function isLeftOver(name) {
  const [, writer] = name.split(".");
  return writer === undefined ? !existsSync(readIfThere(join(ports, name))) : startOf(writer) === undefined;
}

/** Says that no service runs on the folder any more. */
export function forget(state) {
  if (runningService(state)?.pid === process.pid) rmSync(fileIn(state), { force: true });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The port of a service's URL. */
export const portOf = (url) => new URL(url).port || { "http:": "80", "https:": "443" }[new URL(url).protocol];

/** When a process was started, in the system's own words; undefined where there is none. Ids are used again. */
function startOf(pid) {
  if (!existsSync("/proc/self/stat")) return ask("ps", ["-o", "lstart=", "-p", String(pid)]) || undefined;
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (!stat) return undefined;
  // The name in brackets may hold anything; after it come the state, and as the twentieth word the start.
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return words[0] === "Z" ? undefined : words[19];
}
