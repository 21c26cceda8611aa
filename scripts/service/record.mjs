// Which service runs on a state folder: one, and where it is reached.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ask } from "../processes.mjs";
import { UsageProblem } from "../terminal.mjs";
import { writePrivate } from "./folder.mjs";

const fileIn = (state) => join(state, "service.json");

/**
 * The service that runs on a state folder, if one does: its `command`, its `endpoint` (and its `secure` one, and the
 * `authority` that signed its certificate, where it has them) once it answers.
 */
export function runningService(state) {
  let record;
  try {
    record = JSON.parse(readFileSync(fileIn(state), "utf8"));
  } catch {
    return undefined;
  }
  const { processes = [] } = record ?? {};
  return processes.some(({ pid, started }) => startOf(pid) === started) ? record : undefined;
}

/** Fails where another service runs on the folder. */
export function checkUnused(state) {
  const other = runningService(state);
  if (!other || other.processes[0].pid === process.pid) return;
  const where = other.endpoint ? ` at ${other.endpoint}` : "";
  throw new UsageProblem(`${other.command} (process ${other.processes[0].pid}${where}) runs on the state folder ${state}. End it first, or take another folder: --state DIR.`);
}

/** Says that this process, and the programs with these ids, run on the folder; `facts` is what clients need. */
export function record(state, pids, facts) {
  const processes = [process.pid, ...pids].map((pid) => ({ pid, started: startOf(pid) }));
  writePrivate(fileIn(state), `${JSON.stringify({ ...facts, processes }, null, 2)}\n`);
}

/** Says that no service runs on the folder any more. */
export function forget(state) {
  if (existsSync(fileIn(state)) && runningService(state)?.processes[0].pid === process.pid) rmSync(fileIn(state), { force: true });
}

/** When a process was started, in the system's own words; undefined where there is none. Ids are used again. */
function startOf(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    if (existsSync("/proc/self/stat")) return undefined;
    return ask("ps", ["-o", "lstart=", "-p", String(pid)]) || undefined;
  }
  // The name in brackets may hold anything; after it come the state, and as the twentieth word the start.
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return words[0] === "Z" ? undefined : words[19];
}
