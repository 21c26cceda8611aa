// The permissions of a connection, as servers check, grant and revoke them over REST.
import assert from "node:assert/strict";

/** @import { Hub } from "./hub.mjs" */

export const PERMISSIONS = ["joinLeaveGroup", "sendToGroup"];
export const [JOIN_LEAVE, SEND] = PERMISSIONS;

/**
 * A change that a server makes: it grants (PUT) or revokes (DELETE) a permission for a group.
 * @typedef {{ method: string, name: string, group: string }} Change
 */

/**
 * @param {string} name
 * @param {string} group
 * @returns {Change}
 */
export const grant = (name, group) => ({ method: "PUT", name, group });

/**
 * @param {string} name
 * @param {string} group
 * @returns {Change}
 */
export const revoke = (name, group) => ({ method: "DELETE", name, group });

/**
 * @param {Hub} hub
 * @param {string} method
 * @param {string} name
 * @param {string} id
 * @param {string} group
 */
export const permit = (hub, method, name, id, group) =>
  hub.rest(method, `/permissions/${name}/connections/${id}`, { query: { targetName: group } });

/**
 * Has the server make changes, which is done however often it is asked for.
 * @param {Hub} hub
 * @param {string} id
 * @param {Change[]} changes
 */
export async function change(hub, id, changes = []) {
  for (const { method, name, group } of changes) {
    for (let time = 1; time <= 2; time++) {
      const { status, body } = await permit(hub, method, name, id, group);
      assert.deepEqual([status, body], [method === "PUT" ? 200 : 204, ""]);
    }
  }
}

/**
 * What REST says that the connection may do.
 * @param {Hub} hub
 * @param {string} name
 * @param {string} id
 * @param {string} group
 */
export async function checked(hub, name, id, group) {
  const { status, headers } = await permit(hub, "HEAD", name, id, group);
  assert.ok(status === 200 || status === 404);
  assert.equal(headers["x-ms-error-code"], status === 200 ? undefined : "Info.Connection.NotExisted");
  return status === 200;
}
