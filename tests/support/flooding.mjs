// A flood: a client in a process of its own that sends many messages without waiting for anything.
import { spawn } from "node:child_process";
import path from "node:path";
import { root } from "../../scripts/paths.mjs";
import { ALL_ROLES } from "./hub.mjs";
import { deferred, within } from "./waiting.mjs";

/**
 * Sends so many messages, in each of which `#` stands for its number; resolves with what became of them.
 * @param {import("./hub.mjs").Hub} hub
 * @param {{ subprotocol: string, count: number, message: string }} flood
 * @returns {Promise<{ acks: number, code?: number }>}
 */
export function flood(hub, { subprotocol, count, message }) {
  const program = path.join(root, "tests/support/flood.mjs");
  const args = [program, hub.clientUrl({ roles: ALL_ROLES }), subprotocol, String(count), message];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = deferred();
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.on("error", ended.reject);
  child.on("close", () => (output ? ended.resolve(JSON.parse(output)) : ended.reject(new Error("it printed nothing"))));
  return within(ended.promise, "the end of a flood");
}
