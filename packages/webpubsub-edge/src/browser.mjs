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

/** Opens a page in the browser, or says where it is. */
export function openPage(url) {
  const [program, ...args] = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] }[process.platform] ?? ["xdg-open"];
  spawn(program, [...args, url], { stdio: "ignore", detached: true })
    .on("error", () => say(`No browser could be opened: open ${url}`))
    .unref();
}
