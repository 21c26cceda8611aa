// How many connections a process may have open.
import { readFileSync } from "node:fs";
import { Problem } from "./terminal.mjs";

/** What a process has open beside its connections. */
const OTHER_FILES = 100;

/** Fails where the system says that a process may not have so many connections open. */
export function checkOpenFiles(connections) {
  let limits;
  try {
    limits = readFileSync("/proc/self/limits", "utf8");
  } catch {
    return;
  }
  const most = Number(/^Max open files +\S+ +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  if (connections + OTHER_FILES > most) {
    throw new Problem(`${connections} connections need more open files than the ${most} that a process may have here: see "ulimit -Hn".`);
  }
}
