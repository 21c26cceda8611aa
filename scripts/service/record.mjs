// Which service runs on a state folder: one, and where it is reached.
import { accessSync, constants, existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { codeOf, messageOf } from "../errors.mjs";
import { withLock } from "../lock.mjs";
import { services as ports } from "../paths.mjs";
import { ask, readIfThere } from "../processes.mjs";
import { UsageProblem } from "../terminal.mjs";
import { privateFolder, writePrivate } from "./folder.mjs";

/**
 * What is known of the service that runs on a state folder: its `command`, its process's id, and once it answers where it
 * listens and how it is reached.
 * @typedef {{ command: string, pid: number, host?: string } & Partial<import("../service.mjs").Reached>} RunningService
 *
 * The same as it is kept, with the processes of the service and when they were started.
 * @typedef {Omit<RunningService, "pid"> & { processes?: { pid: number, started?: string }[] }} ServiceRecord
 */

/** @param {string} state */
const fileIn = (state) => join(state, "service.json");

/**
 * The service that runs on a state folder, if one does.
 * @param {string} state
 * @returns {RunningService | undefined}
 */
export function runningService(state) {
  const record = parsed(readIfThere(fileIn(state)));
  const alive = record?.processes?.find(({ pid, started }) => started !== undefined && startOf(pid) === started);
  return record && alive && { ...record, pid: alive.pid };
}

/**
 * The service of this project that runs at a port of its own, whatever its state folder.
 * @param {string | number | undefined} port
 */
export function serviceAt(port) {
  const state = readIfThere(join(ports, String(port)));
  return state ? runningService(state) : undefined;
}

/**
 * Fails where another service runs on the folder.
 * @param {string} state
 */
export function checkUnused(state) {
  const other = runningService(state);
  if (!other) return;
  const where = other.endpoint ? ` at ${other.endpoint}` : "";
  throw new UsageProblem(
    `${other.command} (process ${other.pid}${where}) runs on the state folder ${state}. End it first, or take another folder: --state DIR.`,
  );
}

/**
 * Fails where the folder can neither be made nor written to.
 * @param {string} state
 */
export function checkFolder(state) {
  try {
    let there = state;
    while (!existsSync(there)) there = dirname(there);
    // Of a file only that there is nothing in it.
    accessSync(`${there}${sep}.`, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw stateProblem(state, error);
  }
}

/**
 * @param {string} state
 * @param {unknown} error
 */
const stateProblem = (state, error) =>
  new UsageProblem(
    `The state folder ${state} cannot be used (${codeOf(error) ?? messageOf(error)}). Make it one that you may write to, or take another: --state DIR.`,
  );

/**
 * Makes the state folder, if it is not there, its user's alone.
 * @param {string} state
 */
export function makeFolder(state) {
  try {
    privateFolder(state, { ours: false });
  } catch (error) {
    throw stateProblem(state, error);
  }
}

/**
 * Makes the state folder, if it is not there, and makes it this process's: of two that want it at once one gets it.
 * @param {string} state
 * @param {string} command
 */
export async function claim(state, command) {
  makeFolder(state);
  await withLock(join(state, "start.lock"), "start on this state folder", () => {
    checkUnused(state);
    record(state, [], { command });
  });
}

/**
 * Says that this process, and the programs with these ids, run on the folder, and at which ports; `facts` is what clients
 * need.
 * @param {string} state
 * @param {(number | undefined)[]} pids
 * @param {Omit<RunningService, "pid">} facts
 */
export function record(state, pids, facts) {
  const processes = [process.pid, ...pids].flatMap((pid) => (pid ? [{ pid, started: startOf(pid) }] : []));
  writePrivate(fileIn(state), `${JSON.stringify({ ...facts, processes }, null, 2)}\n`);
  privateFolder(ports);
  for (const name of readdirSync(ports).filter(isLeftOver)) rmSync(join(ports, name), { force: true });
  for (const url of [facts.endpoint, facts.secure]) if (url) writePrivate(join(ports, portOf(url)), state);
}

/**
 * Whether a port's file names a folder that is gone, or a file on its way there has lost the process that writes it.
 * @param {string} name
 */
function isLeftOver(name) {
  const [, writer] = name.split(".");
  return writer === undefined ? !existsSync(readIfThere(join(ports, name))) : startOf(writer) === undefined;
}

/**
 * Says that no service runs on the folder any more.
 * @param {string} state
 */
export function forget(state) {
  if (runningService(state)?.pid === process.pid) rmSync(fileIn(state), { force: true });
}

/**
 * @param {string} text
 * @returns {ServiceRecord | undefined}
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The port of a service's URL.
 * @param {string} url
 */
export function portOf(url) {
  const { port, protocol } = new URL(url);
  return port || (protocol === "https:" ? "443" : "80");
}

/**
 * When a process was started, in the system's own words; undefined where there is none. Ids are used again.
 * @param {number | string} pid
 */
function startOf(pid) {
  if (!existsSync("/proc/self/stat")) return ask("ps", ["-o", "lstart=", "-p", String(pid)]) || undefined;
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (!stat) return undefined;
  // The name in brackets may hold anything; after it come the state, and as the twentieth word the start.
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return words[0] === "Z" ? undefined : words[19];
}
