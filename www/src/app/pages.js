// Which pages there are, in the order of the navigation, and where each is.
import { Overview } from "../pages/overview.js";
import { Playground } from "../pages/playground.js";
import { ClientUrl } from "../pages/client-url.js";
import { Hubs } from "../pages/hubs.js";
import { ServerApi } from "../pages/server-api.js";
import { Connections } from "../pages/connections.js";
import { Trace } from "../pages/trace.js";
import { Metrics } from "../pages/metrics.js";
import { Keys } from "../pages/keys.js";

/**
 * `path` is its place in the address, after `#/`; `needsAccess` pages show the form to sign in until that was done.
 *
 * @typedef {{ path: string, title: string, needsAccess?: boolean, Page: new (app: any) => any }} Entry
 * @type {Entry[]}
 */
export const pages = [
  {
    path: "overview",
    title: "Overview",
    Page: Overview,
  },
  {
    path: "playground",
    title: "Playground",
    Page: Playground,
  },
  {
    path: "client-url",
    title: "Client URL",
    needsAccess: true,
    Page: ClientUrl,
  },
  {
    path: "hubs",
    title: "Hubs",
    needsAccess: true,
    Page: Hubs,
  },
  {
    path: "server-api",
    title: "Server API",
    needsAccess: true,
    Page: ServerApi,
  },
  {
    path: "connections",
    title: "Connections",
    needsAccess: true,
    Page: Connections,
  },
  {
    path: "trace",
    title: "Live trace",
    needsAccess: true,
    Page: Trace,
  },
  {
    path: "metrics",
    title: "Metrics",
    needsAccess: true,
    Page: Metrics,
  },
  {
    path: "keys",
    title: "Keys",
    needsAccess: true,
    Page: Keys,
  },
];

/** The page that an address names, the first where it names none, and what follows in the address. */
export function routeOf(hash) {
  const [path, ...rest] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  return { entry: pages.find((page) => page.path === path) ?? pages[0], rest };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
