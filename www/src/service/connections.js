// The connections and the groups of a hub, as the management API lists them.
//
// The contract: docs/management.md#connections, docs/management.md#groups.

/** How many requests one page may take: each looks at a bounded number of connections, and may find none. */
const REQUESTS_A_PAGE = 20;

const hubPath = (hub) => `/management/hubs/${encodeURIComponent(hub)}`;

/**
 * A page of a list: asks on until there are `top` of them, or the list has ended.
 *
 * @param {any} access
 * @param {string} path
 * @param {string} member
 * @param {{ conditions: Record<string, string>, top: number, token?: string | null }} wanted
 * @returns {Promise<{ rows: any[], token: string | null }>}
 */
async function page(access, path, member, { conditions, top, token }) {
  const rows = [];
  for (let asked = 0; asked < REQUESTS_A_PAGE; asked++) {
    const query = Object.entries(conditions).filter(([, value]) => value !== "");
    query.push(["top", String(top - rows.length)]);
    if (token) query.push(["continuationToken", token]);
    const { json } = await access.request("GET", path, { query });
    rows.push(...json[member]);
    token = json.continuationToken;
    if (!token || rows.length >= top) break;
  }
  return { rows, token: token ?? null };
}

export const connectionsOf = (access, hub, wanted) =>
  page(access, `${hubPath(hub)}/connections`, "connections", wanted);

export const groupsOf = (access, hub, wanted) => page(access, `${hubPath(hub)}/groups`, "groups", wanted);

/** One connection, with its permissions. */
export async function connectionOf(access, hub, id) {
  return (await access.request("GET", `${hubPath(hub)}/connections/${encodeURIComponent(id)}`)).json;
}
