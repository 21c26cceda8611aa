// Which hubs a service knows.
import { hubName } from "../../../scripts/access.mjs";
import { Problem } from "../../../scripts/terminal.mjs";
import { NOT_THERE } from "./exit-codes.mjs";

const DEFAULTS = JSON.stringify({ anonymousConnectPolicy: "deny", eventHandlers: [] });

/** @import { Service } from "./service.mjs" */

/**
 * The name of a hub that was typed, as a part of a path.
 * @param {string} name
 */
export const hubPath = (name) => `/hubs/${encodeURIComponent(hubName(name, "HUB"))}`;

/**
 * A hub's settings; a problem where it was neither used nor set.
 * @param {Service} service
 * @param {string} hub
 */
export async function settingsOf(service, hub) {
  const settings = await service.manage("GET", hubPath(hub));
  if (JSON.stringify(settings) !== DEFAULTS) return settings;
  const { hubs } = await service.manage("GET", "/hubs");
  if (hubs.includes(hub.toLowerCase())) return settings;
  const there = hubs.length === 0 ? "There is none yet." : `There are ${hubs.join(", ")}.`;
  throw new Problem(`There is no hub ${hub}: it was neither used nor set. ${there}`, { exitCode: NOT_THERE });
}
