// Does a connection, a user, a group exist?
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";

forEachShardCount("REST existence", (service) => {
  test("what exists gets 200, what does not 404 and a code", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ user: "alice", groups: ["room"] });
    for (const [path, code] of [
      ["/connections/unknown", "Warning.Connection.NotExisted"],
      [`/connections/${alice.id}x`, "Warning.Connection.NotExisted"],
      [`/connections/${Buffer.alloc(19, 255).toString("base64url")}`, "Warning.Connection.NotExisted"],
      ["/users/bob", "Warning.User.NotExisted"],
      ["/users/Alice", "Warning.User.NotExisted"],
      ["/groups/other", "Warning.Group.NotExisted"],
      ["/groups/Room", "Warning.Group.NotExisted"],
    ]) {
      const { status, headers, body } = await hub.rest("HEAD", path);
      assert.deepEqual([status, headers["x-ms-error-code"], body], [404, code, ""], path);
    }
    for (const path of [`/connections/${alice.id}`, "/users/alice", "/groups/room"]) {
      const { status, headers, body } = await hub.rest("HEAD", path);
      assert.deepEqual([status, headers["x-ms-error-code"], body], [200, undefined, ""], path);
    }
  });

  test("a group is there from the first member to the last", async () => {
    const hub = service.newHub();
    const [alice, bob] = [await hub.connect({ roles: ALL_ROLES }), await hub.connect({ roles: ALL_ROLES })];
    assert.equal(await hub.exists("/groups/room"), false);
    await alice.ask({ type: "joinGroup", group: "room", ackId: 1 });
    await bob.ask({ type: "joinGroup", group: "room", ackId: 1 });
    await alice.ask({ type: "leaveGroup", group: "room", ackId: 2 });
    assert.equal(await hub.exists("/groups/room"), true);
    await bob.close(1000);
    assert.equal(await hub.exists("/groups/room"), false);
  });

  test("a user is there as long as one connection is", async () => {
    const hub = service.newHub();
    const [first, second] = [await hub.connect({ user: "alice" }), await hub.connectReliable({ user: "alice" })];
    await first.close(1000);
    assert.equal(await hub.exists("/users/alice"), true);
    await second.close(1000);
    assert.equal(await hub.exists("/users/alice"), false);
  });
});
