// How many connections a process may have open.
import { readFileSync } from "node:fs";
import { Problem } from "./terminal.mjs";

/** What a process has open beside its connections. */
const OTHER_FILES = 100;
/** How many files workerd has open for each of its connections. */
const FILES_EACH = 2;

/** How many connections the system's bound on open files leaves the service; `Infinity` where it is not known. */
export function possibleConnections() {
  return Math.floor((mostFiles() - OTHER_FILES) / FILES_EACH);
}

/**
 * Fails where the service cannot have so many connections open.
 * @param {number} connections
 */
export function checkOpenFiles(connections) {
  if (connections <= possibleConnections()) return;
  throw new Problem(
    `${connections} connections need ${connections * FILES_EACH + OTHER_FILES} open files, ${FILES_EACH} each, and a process may have ${mostFiles()} here: see "ulimit -Hn".`,
  );
}

function mostFiles() {
  let limits;
  try {
    limits = readFileSync("/proc/self/limits", "utf8");
  } catch {
    return Infinity;
  }
  return Number(/^Max open files +\S+ +(\d+)/m.exec(limits)?.[1] ?? Infinity);
}
