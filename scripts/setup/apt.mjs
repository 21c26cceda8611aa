// Debian's and Ubuntu's packages, for what only they can give.
import { ask, run, which } from "../processes.mjs";

/** @import { Progress } from "../terminal.mjs" */

/** Whether packages can be installed without asking anybody. */
export const canInstall = () => process.getuid?.() === 0 && which("apt-get") !== undefined;

/** Whether the machine has Debian's package manager at all. */
export const hasApt = () => which("apt-get") !== undefined;

/**
 * The command that a person would type.
 * @param {string[]} packages
 */
export const command = (packages) => `sudo apt-get install --no-install-recommends ${packages.join(" ")}`;

/**
 * Installs packages; refreshes the lists first where they do not know one of them.
 * @param {string[]} packages
 * @param {Progress} at
 */
export async function install(packages, at) {
  if (!isKnown(packages)) {
    at("refreshing the package lists");
    await aptGet(["update"], at);
  }
  await aptGet(["install", "--yes", "--no-install-recommends", ...packages], at);
}

/**
 * Whether the package lists know all of these, after a refresh if need be.
 * @param {string[]} packages
 * @param {Progress} at
 */
export async function offers(packages, at) {
  if (isKnown(packages)) return true;
  at("refreshing the package lists");
  await aptGet(["update"], at).catch(() => {});
  return isKnown(packages);
}

/** @param {string[]} packages */
const isKnown = (packages) => packages.every((name) => ask("apt-cache", ["show", name]));

/**
 * @param {string[]} args
 * @param {Progress} at
 */
function aptGet(args, at) {
  return run("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    onOutput: (text) => {
      const what = [...text.matchAll(/^(?:Setting up|Unpacking|Get:\d+) .*?([a-z0-9][a-z0-9.+-]+)/gm)].pop()?.[0];
      if (what) at(what);
    },
  });
}
