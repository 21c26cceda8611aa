// The memory of a process and the processor time that it took, as Linux reports them.
import { readFileSync } from "node:fs";
import { matched } from "./found.mjs";

/**
 * @param {number} pid
 * @param {string} field
 */
const inBytes = (pid, field) =>
  Number(matched(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m"), readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;

/**
 * How many bytes it has in memory.
 * @param {number} pid
 */
export const residentBytes = (pid) => inBytes(pid, "VmRSS");

/**
 * How many it has had at most.
 * @param {number} pid
 */
export const peakBytes = (pid) => inBytes(pid, "VmHWM");

/**
 * How many milliseconds of a processor it has taken, in steps of ten.
 * @param {number} pid
 */
export function processorMs(pid) {
  // The name before may have blanks in it. Then come the state, and those of user and system as the 14th and 15th of all.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
