// The browser of the person who types a command, if there is one.
import { spawn } from "node:child_process";
import { say } from "../../../scripts/terminal.mjs";

/**
 * Whether somebody at a terminal sits before a screen of this machine: not over SSH, and no program of a build.
 * @param {{ isTerminal: boolean, env?: NodeJS.ProcessEnv, platform?: string }} where
 */
export function hasBrowser({ isTerminal, env = process.env, platform = process.platform }) {
  if (!isTerminal || env.CI || env.SSH_CONNECTION) return false;
  return platform === "darwin" || platform === "win32" || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

/**
 * What opens a page in the browser, by platform; on all others it is `xdg-open`.
 * @type {Partial<Record<NodeJS.Platform, string[]>>}
 */
const OPENERS = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] };

/**
 * Opens a page in the browser, or says where it is.
 * @param {string} url
 */
export function openPage(url) {
  const [program, ...args] = OPENERS[process.platform] ?? ["xdg-open"];
  spawn(program, [...args, url], { stdio: "ignore", detached: true })
    .on("error", () => say(`No browser could be opened: open ${url}`))
    .unref();
}
