// What each member says of itself: a group state, which the service keeps as long as that member's connection lasts.
// No server is needed for it.

const select = /** @type {HTMLSelectElement} */ (document.getElementById("status"));

/** @type {Map<string, string>} */
let statuses = new Map();
let stopSharing = () => {};

/** @param {string} connectionId */
export const statusOf = (connectionId) => statuses.get(connectionId) ?? "";

/**
 * Shows this page's status to the group, whose member it has to be, and keeps up with all others'. `changed` is called
 * whenever one has changed. It is to be called again on each new connection, which has no state yet.
 * @param {import("/client/browser.js").WebPubSubClient} client
 * @param {string} group
 * @param {() => void} changed
 */
export async function shareStatus(client, group, changed) {
  stopSharing();
  const set = () => client.setGroupState(group, { status: select.value });
  const onSelect = () => void set().catch(console.error);
  /** @param {{ group: string }} event */
  const onChange = (event) => {
    if (event.group !== group) return;
    statuses = new Map(
      client.listGroupStates(group).map(({ connectionId, state }) => [connectionId, state?.status ?? ""]),
    );
    changed();
  };
  select.addEventListener("change", onSelect);
  client.on("group-states-changed", onChange);
  stopSharing = () => {
    select.removeEventListener("change", onSelect);
    client.off("group-states-changed", onChange);
  };
  await client.subscribeGroupStates(group);
  await set();
}
