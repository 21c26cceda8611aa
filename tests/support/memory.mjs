// The memory of a process, as Linux reports it.
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
