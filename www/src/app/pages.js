// Which pages there are, in the order of the navigation, and where each is.

/**
 * `path` is its place in the address, after `#/`; `needsAccess` pages show the form to sign in until that was done.
 *
 * @typedef {{ path: string, title: string, needsAccess?: boolean, load: () => Promise<new (app: any) => any> }} Entry
 * @type {Entry[]}
 */
export const pages = [
  {
    path: "overview",
    title: "Overview",
    load: () => import("../pages/overview.js").then(({ Overview }) => Overview),
  },
  {
    path: "playground",
    title: "Playground",
    load: () => import("../pages/playground.js").then(({ Playground }) => Playground),
  },
  {
    path: "client-url",
    title: "Client URL",
    needsAccess: true,
    load: () => import("../pages/client-url.js").then(({ ClientUrl }) => ClientUrl),
  },
  {
    path: "hubs",
    title: "Hubs",
    needsAccess: true,
    load: () => import("../pages/hubs.js").then(({ Hubs }) => Hubs),
  },
  {
    path: "server-api",
    title: "Server API",
    needsAccess: true,
    load: () => import("../pages/server-api.js").then(({ ServerApi }) => ServerApi),
  },
  {
    path: "connections",
    title: "Connections",
    needsAccess: true,
    load: () => import("../pages/connections.js").then(({ Connections }) => Connections),
  },
  {
    path: "trace",
    title: "Live trace",
    needsAccess: true,
    load: () => import("../pages/trace.js").then(({ Trace }) => Trace),
  },
  {
    path: "metrics",
    title: "Metrics",
    needsAccess: true,
    load: () => import("../pages/metrics.js").then(({ Metrics }) => Metrics),
  },
  {
    path: "keys",
    title: "Keys",
    needsAccess: true,
    load: () => import("../pages/keys.js").then(({ Keys }) => Keys),
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
